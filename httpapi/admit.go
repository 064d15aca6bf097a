package httpapi

import (
	"context"
	"net"
	"net/http"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/conns"
)

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

// getMetrics answers /metrics: to every key, if there are keys.
func (s *Server) getMetrics(c *call) error {
	s.metrics.answer.ServeHTTP(c.w, c.r)
	return nil
}

type privateKey struct{}

// Private marks the connections of a private socket, which only the store's owner
// can open: it is for [http.Server.ConnContext]. Their requests need no key, may
// do everything, name their author themselves, and have no limit of the rate.
func Private(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, privateKey{}, true)
}

// isPrivate tells whether a request came through a private socket.
func isPrivate(r *http.Request) bool { return r.Context().Value(privateKey{}) != nil }
