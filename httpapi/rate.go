package httpapi

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/conns"
)

// maxRates bounds the table of a rates: a hundred bytes each.
const maxRates = 10_000

// A rates limits how often each of many may do something. It is bounded: who has
// rested until its bucket is full again is forgotten, and while the table is full
// of those who have not, all that are new share one bucket.
type rates struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu     sync.Mutex
	by     map[string]*rate.Limiter
	others *rate.Limiter
	swept  time.Time
}

// newRates returns a table that lets each do limit things a second, and burst at
// once; nothing is limited if limit is 0.
func newRates(limit float64, burst int, now func() time.Time) *rates {
	r := &rates{limit: rate.Limit(limit), burst: max(burst, 1), now: now, by: make(map[string]*rate.Limiter)}
	r.others = rate.NewLimiter(r.limit, r.burst)
	return r
}

// allow counts one thing that who does. If that is one too many it fails as
// rate_limited, and sets Retry-After in the answer's header.
func (r *rates) allow(h http.Header, who string) error {
	if r.limit == 0 {
		return nil
	}
	now := r.now()
	wait := r.reserve(who, now)
	if wait == 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	h.Set("Retry-After", strconv.Itoa(seconds))
	return stet.Errorf(stet.CodeRateLimited, "more than %v requests a second, and %d at once. Nothing changed. Try again in %d s.", float64(r.limit), r.burst, seconds)
}

// reserve takes one token from who's bucket, or returns how long to wait for one.
func (r *rates) reserve(who string, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.bucket(who, now)
	if l.AllowN(now, 1) {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return max(time.Duration(missing/float64(r.limit)*float64(time.Second)), time.Nanosecond)
}

func (r *rates) bucket(who string, now time.Time) *rate.Limiter {
	if l := r.by[who]; l != nil {
		return l
	}
	if len(r.by) >= maxRates && now.Sub(r.swept) >= time.Second { // a sweep takes a millisecond
		r.swept = now
		for k, l := range r.by {
			if l.TokensAt(now) >= float64(r.burst) {
				delete(r.by, k)
			}
		}
	}
	if len(r.by) >= maxRates {
		return r.others
	}
	l := rate.NewLimiter(r.limit, r.burst)
	r.by[who] = l
	return l
}

// admit counts a request against the rate of who makes it, as access has found
// out: the key, or the remote address without keys. It returns the error that the
// request is refused with, which is access's own, err, if that is not nil and the
// address has not made too many such attempts.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, a *access, err error) error {
	if isPrivate(r) {
		return err
	}
	if err != nil {
		if stet.CodeOf(err) == stet.CodeUnauthorized {
			if slow := s.attempts.allow(w.Header(), remote(r)); slow != nil {
				err = slow
			}
		}
	} else {
		who := a.name()
		if who == "" {
			if s.noRate {
				return nil
			}
			who = remote(r)
		} else if rec := recorderOf(w); rec != nil {
			rec.who = who
			who = "key " + who // no address
			conns.Known(r.Context())
		}
		err = s.rates.allow(w.Header(), who)
	}
	if stet.CodeOf(err) == stet.CodeRateLimited {
		s.metrics.refused.WithLabelValues("rate").Inc()
	}
	return err
}

// remote names who is at the other end of a connection: an IPv4 address, or the
// first 64 bits of an IPv6 address, all of which one customer has. What proxies say
// in a header is not asked: anybody can say it.
func remote(r *http.Request) string {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a private socket
	}
	addr := a.Addr().Unmap()
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
