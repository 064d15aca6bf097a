package httpapi

import (
	"net/http"
	"time"
)

// pieceBytes is how much of an answer is written under one deadline. A slow link takes
// that much in a second or two, so a large answer on it is not cut off.
const pieceBytes = 256 << 10

// refreshAfter is how old a deadline may get before the next write sets a new one. Nearly
// all answers are quicker: they set none, and keep the one that net/http set.
const refreshAfter = 5 * time.Second

// A recorder writes the answer to one request: it counts the bytes, and disconnects a
// client that is too slow.
type recorder struct {
	http.ResponseWriter
	control *http.ResponseController
	until   time.Time     // the deadline as it was set last
	spent   time.Duration // on waiting for the client to take a large answer
	h2      bool          // HTTP/2: deadlines run even while nothing is written
	own     bool          // the handler sets the deadlines
	left    bool          // the client did not take the answer

	status      int
	bytes       int64
	reservation reservation
	// The name of the request's key, "" for none.
	who string
	// err is the error that was answered, if any.
	err error
}

func newRecorder(w http.ResponseWriter, r *http.Request, now time.Time) *recorder {
	rec := &recorder{ResponseWriter: w, control: http.NewResponseController(w), until: now.Add(writeTime), h2: r.ProtoMajor >= 2}
	if rec.h2 {
		rec.forget()
	}
	return rec
}

// recorderOf returns the recorder that an answer is written through, or nil.
func recorderOf(w http.ResponseWriter) *recorder {
	for {
		switch x := w.(type) {
		case *recorder:
			return x
		case interface{ Unwrap() http.ResponseWriter }:
			w = x.Unwrap()
		default:
			return nil
		}
	}
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status < 100 || status >= 200) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n := 0
	for {
		piece := p[n:min(n+pieceBytes, len(p))]
		begun := r.extend()
		m, err := r.ResponseWriter.Write(piece)
		n += m
		if r.bytes += int64(m); r.bytes > minAnswerRate {
			r.spent += time.Since(begun)
		}
		if err != nil || n == len(p) {
			if r.h2 {
				r.forget()
			}
			r.left = r.left || err != nil
			return n, err
		}
	}
}

// FlushError sends what is buffered. It is what [http.ResponseController] calls.
func (r *recorder) FlushError() error {
	r.extend()
	err := r.control.Flush()
	if r.h2 {
		r.forget()
	}
	return err
}

// Flush is FlushError for callers that know only [http.Flusher].
func (r *recorder) Flush() { _ = r.FlushError() }

// SetWriteDeadline lets a handler set the deadlines, from now on. It is what
// [http.ResponseController] calls.
func (r *recorder) SetWriteDeadline(t time.Time) error {
	r.own = true
	return r.control.SetWriteDeadline(t)
}

// extend gives the client time to take the next piece, which begins now; less time if the
// client took earlier pieces more slowly than it may. A writer of a test that has no
// deadlines has no slow client either.
func (r *recorder) extend() (now time.Time) {
	now = time.Now()
	if r.own {
		return now
	}
	allowed := time.Duration(float64(r.bytes)/minAnswerRate*float64(time.Second)) - r.spent
	d := min(writeTime, writeTime+allowed)
	until := now.Add(d)
	if later := until.Sub(r.until); r.h2 || later < 0 || later >= refreshAfter {
		r.until = until
		_ = r.control.SetWriteDeadline(r.until)
	}
	return now
}

// forget removes the deadline while nothing is written.
func (r *recorder) forget() {
	if !r.own {
		_ = r.control.SetWriteDeadline(time.Time{})
	}
}

// end is called when the handler has returned; what is buffered is sent after it.
func (r *recorder) end() {
	if r.h2 || r.own {
		r.until, r.own = time.Time{}, false
	}
	r.extend()
}
