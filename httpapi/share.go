package httpapi

import (
	"sync"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

// shareFrom is the smallest limit that is divided. One caller may have all of a smaller
// one.
const shareFrom = 4

// shareOf returns how much of a limit one caller may have: half, so that one key, or one
// address without a key, never has all of it.
func shareOf(most int64) int64 {
	if most < shareFrom {
		return most
	}
	return most - most/2
}

// A share is what one caller holds of the limits. A caller is a key, or an address without
// a key, so that callers with keys have shares of their own behind one proxy.
type share struct {
	requests int // in hand; guarded by shares.mu
	inHand   [kinds]atomic.Int64
	bytes    atomic.Int64 // of bodies
}

// shares has the shares of the callers with a request in hand. The zero value is empty.
type shares struct {
	mu sync.Mutex
	by map[string]*share
}

// join returns the share of a caller, for one request. The request calls leave when it is done.
func (s *shares) join(who string) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.by[who]
	if sh == nil {
		if s.by == nil {
			s.by = make(map[string]*share)
		}
		sh = new(share)
		s.by[who] = sh
	}
	sh.requests++
	return sh
}

func (s *shares) leave(who string, sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh.requests--; sh.requests == 0 {
		delete(s.by, who)
	}
}

// enter counts a request of a kind, and refuses it as rate_limited if the caller has its
// share of them.
func (sh *share) enter(k kind, most int64) error {
	if n := sh.inHand[k].Add(1); n <= shareOf(most) {
		return nil
	}
	sh.inHand[k].Add(-1)
	return stet.Errorf(stet.CodeRateLimited, "the key, or the address without one, has %d requests of this kind under way, which is its share of the %d that the server takes. Nothing changed. Try again when one of them is done.", shareOf(most), most)
}

// hold counts bytes of a body, and refuses them as rate_limited beyond most, the caller's
// share, which is never less than one body.
func (sh *share) hold(bytes, most int64) error {
	if sh.bytes.Add(bytes) <= most {
		return nil
	}
	sh.bytes.Add(-bytes)
	return stet.Errorf(stet.CodeRateLimited, "the key, or the address without one, has bodies of %d bytes under way, which is its share of what the server holds. Nothing changed. Try again when one of them is done.", most)
}
