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

// guard applies the limits of load and time to the handler of a route, and counts and logs
// its requests.
//
// A line of the log has the request's id, method, route pattern (not the path), status,
// bytes and time of the answer, the name of the key and the code of the error. It never
// has a header, a query, an id or a text: they may be secret. Successful reads are logged
// at level debug; writes and refusals at info; failures of the server at error. A request
// whose client left before the answer has status 499, and is logged like a success.
func (s *Server) guard(rt *route, next http.Handler) http.Handler {
	name := rt.name()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := newRecorder(w, r, start)
		k := rt.kindOf(r)
		rec.reservation = reservation{limiter: s.limiter, kind: k}
		client := r.Context() // done once the client has left
		defer func() {
			p := recover()
			rec.end()
			s.observe(rec, rt, name, r, k, time.Since(start), outcome{p: p, left: client.Err() != nil})
			if p != nil {
				panic(p)
			}
		}()
		defer rec.reservation.release()
		if rec.h2 {
			defer func() {
				if p := recover(); p != nil {
					panic(p)
				}
				s.abortIf(rec, rec.reservation.whileUnsent(rec.FlushError))
			}()
		}
		if err := rec.reservation.enter(); err != nil {
			s.refuseBusy(rec, r, err, "in_hand")
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			if s.o.Limits.bodyTime > 0 {
				// net/http reads what the handler leaves unread, and would wait for it for ever.
				_ = rec.control.SetReadDeadline(start.Add(s.o.Limits.bodyTime))
				body := r.Body
				// A copy: by the body of its own request net/http sees that nobody has
				// asked for it (Expect: 100-continue), and so does not wait for it.
				r = r.WithContext(r.Context())
				r.Body = &slowBody{ReadCloser: body, control: rec.control, grace: s.o.Limits.bodyTime}
			}
		}
		next.ServeHTTP(rec, r)
	})
}

// unknownCaller is called before an answer to a caller without a valid key. It gives up
// the place among the requests in hand and the connections. Otherwise a client without a
// key could hold one by not reading the answer, or by not sending a body that net/http
// waits for.
func (s *Server) unknownCaller(rec *recorder, r *http.Request) {
	if rec.reservation.share != nil {
		return // the caller is known
	}
	rec.reservation.leave()
	conns.Refused(r.Context())
	if rec.h2 {
		s.abortIf(rec, rec.reservation.enterUnknown())
	}
}

// abortIf closes the connection without an answer if err is not nil, which means that too
// many answers wait for their clients.
func (s *Server) abortIf(rec *recorder, err error) {
	if err == nil {
		return
	}
	s.countRefusal(rec.Header(), "unsent")
	rec.err = err
	panic(http.ErrAbortHandler)
}

// refuseBusy refuses a request for which the server has no room.
func (s *Server) refuseBusy(w *recorder, r *http.Request, err error, limit string) {
	s.countRefusal(w.Header(), limit)
	// Otherwise net/http would read the rest of the body.
	w.Header().Set("Connection", "close")
	s.problem(w, r, err)
}

// statusAborted is counted and logged, as nginx does, for a request whose client left
// before the answer. It is never sent.
const statusAborted = 499

// An outcome is how a handler came to its end.
type outcome struct {
	p    any  // what it panicked with, nil if it returned
	left bool // the client had left by then
}

// observe counts and logs a finished request.
func (s *Server) observe(rec *recorder, rt *route, name string, r *http.Request, k kind, took time.Duration, o outcome) {
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
	s.metrics.request(name, k, status, took)
	level := levelOf(rt.onlyReads(r), k, status)
	if !s.o.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 10),
		slog.String("request_id", rec.Header().Get(headerRequestID)), slog.String("method", method(r)), slog.String("route", name),
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

// method returns the request's method, quoted if it is not a known one: the client may
// send any word.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return strconv.Quote(r.Method[:min(len(r.Method), 16)])
}
