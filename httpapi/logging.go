package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/conns"
)

// guard puts what answers a route behind the limits of load and time, and counts and logs
// what it does.
//
// A line of the log has the request's id, method, route pattern (and not the
// path), status, bytes and time of the answer, the name of the key and the code of
// the error. It never has a header, a query, an id or a text: they may be secret.
// Reads that succeeded are logged at level debug; writes, and what was refused, at
// info; what failed because of the server at error. A client that leaves an answer has
// status 499, and is told of as a request that succeeded.
func (s *Server) guard(rt *route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := newRecorder(w, r, s.o.Limits.WriteTime, start)
		k := rt.kindOf(r)
		rec.stake = stake{g: s.gate, k: k}
		client := r.Context() // done once the client has left
		defer func() {
			p := recover()
			rec.end()
			s.observe(rec, rt, r, k, time.Since(start), outcome{p: p, left: client.Err() != nil})
			if p != nil {
				panic(p)
			}
		}()
		defer rec.stake.end()
		if rec.h2 {
			defer func() {
				if p := recover(); p != nil {
					panic(p)
				}
				s.must(rec, rec.stake.unsent(rec.FlushError))
			}()
		}
		if err := rec.stake.enter(); err != nil {
			s.busy(rec, r, err, "in_hand")
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			if s.o.Limits.BodyTime > 0 {
				// What no handler reads, net/http reads, and would wait for it for ever.
				_ = rec.control.SetReadDeadline(start.Add(s.o.Limits.BodyTime))
				body := r.Body
				// A copy: by the body of its own request net/http sees that nobody has
				// asked for it (Expect: 100-continue), and so does not wait for it.
				r = r.WithContext(r.Context())
				r.Body = &slowBody{ReadCloser: body, control: rec.control, grace: s.o.Limits.BodyTime}
			}
		}
		next.ServeHTTP(rec, r)
	})
}

// stranger is called before somebody is answered who may be anybody: to be told needs no
// place among the requests in hand or the connections, which whoever has no key could hold for as long as the
// answer is not taken, or a body does not come that net/http waits for.
func (s *Server) stranger(rec *recorder, r *http.Request) {
	if rec.stake.sh != nil {
		return // it is known whose place it is
	}
	rec.stake.leave()
	conns.Refused(r.Context())
	if rec.h2 {
		s.must(rec, rec.stake.meet())
	}
}

// must ends a request without an answer if there is an error: there is no room for one
// that its client may not take.
func (s *Server) must(rec *recorder, err error) {
	if err == nil {
		return
	}
	s.full(rec.Header(), "unsent")
	rec.err = err
	panic(http.ErrAbortHandler)
}

// busy refuses a request that the server has no room for.
func (s *Server) busy(w *recorder, r *http.Request, err error, limit string) {
	s.full(w.Header(), limit)
	// A body that nobody reads would be read to its end otherwise.
	w.Header().Set("Connection", "close")
	s.problem(w, r, err)
}

// statusAborted is what a request is counted and logged with whose client left before it
// was answered. Nobody gets it. It is what nginx has for that.
const statusAborted = 499

// An outcome is how a handler came to its end.
type outcome struct {
	p    any  // what it panicked with, nil if it returned
	left bool // the client had left by then
}

// observe counts and logs a request that was answered.
func (s *Server) observe(rec *recorder, rt *route, r *http.Request, k kind, took time.Duration, o outcome) {
	status := rec.status
	panicked := o.p != nil && o.p != http.ErrAbortHandler
	aborted := !panicked && k != kindStream && (rec.left || o.left && (o.p != nil || status >= 500))
	switch {
	case panicked:
		status = http.StatusInternalServerError // nothing better was sent
	case aborted:
		status = statusAborted
	case o.p != nil: // the answer was cut off because something failed here
		status = Status(stet.CodeOf(rec.err))
	case status == 0:
		status = http.StatusOK // which net/http sends if the handler wrote nothing
	}
	s.metrics.request(rt.name(), k, status, took)
	level := levelOf(rt.onlyReads(r), k, status)
	if !s.o.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 10),
		slog.String("request_id", rec.Header().Get(headerRequestID)), slog.String("method", method(r)), slog.String("route", rt.name()),
		slog.Int("status", status), slog.Int64("bytes", rec.bytes), slog.Duration("took", took))
	if rec.who != "" {
		attrs = append(attrs, slog.String("key", rec.who))
	}
	if code := stet.CodeOf(rec.err); code != "" && !aborted {
		attrs = append(attrs, slog.String("code", string(code)))
	}
	if c := rec.Header().Get("Stet-Commit"); c != "" {
		attrs = append(attrs, slog.String("commit", c))
	}
	if panicked {
		attrs = append(attrs, slog.Bool("panicked", true))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	s.o.Log.LogAttrs(context.Background(), level, "request", attrs...)
}

func levelOf(reads bool, k kind, status int) slog.Level {
	switch {
	case k == kindFree && status < 400:
		return slog.LevelDebug
	case status == http.StatusServiceUnavailable: // load, or a server that stops
		return slog.LevelWarn
	case status >= 500:
		return slog.LevelError
	case status >= 400 && status != statusAborted || !reads:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// method is the request's method, quoted if it is none that anybody knows: it is
// the client's own word otherwise.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return strconv.Quote(r.Method[:min(len(r.Method), 16)])
}
