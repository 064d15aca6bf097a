package peers

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// bare returns the least that a handler can be that answers as stet does, with the
// same headers and the same body. It knows the answer beforehand and looks at nothing:
// no route, no id, no key, no store. It makes no string and no slice for its headers.
func (s serverSetup) bare() (http.Handler, error) {
	switch s.Kind {
	case bareGet:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.writeHeader(w)
			_, _ = w.Write(s.Answer)
		}), nil
	case bareFresh:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.writeHeader(w)
			w.WriteHeader(http.StatusNotModified)
		}), nil
	case bareSave:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return // the load generator sees the connection break
			}
			s.writeHeader(w)
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(s.Answer)
		}), nil
	case bareStreams:
		return new(streams), nil
	}
	return nil, fmt.Errorf("there is no server %q", s.Kind)
}

func (s *serverSetup) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	for i := range s.Header {
		h[s.Header[i].Name] = s.Header[i].Values
	}
}

// A headerField is one header of an answer.
type headerField struct {
	Name   string
	Values []string
}

// headerFields returns the headers of an answer, but for those that net/http makes by
// itself: Date, and Content-Length of a short body.
func headerFields(header []byte) (fields []headerField) {
	for line := range strings.SplitSeq(strings.TrimSpace(string(header)), "\r\n") {
		name, value, ok := strings.Cut(line, ": ") // the status line has none
		if ok && name != "Date" && name != "Content-Length" {
			fields = append(fields, headerField{name, []string{value}})
		}
	}
	return fields
}

// streams is what one would write without stet: a handler that keeps whoever GETs
// waiting, and one that writes what is POSTed to all of them, one after another.
type streams struct {
	mu   sync.Mutex
	open []flusher
}

type flusher interface {
	http.ResponseWriter
	http.Flusher
}

func (s *streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		event, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.write(event)
		w.WriteHeader(http.StatusCreated)
		return
	}
	// The server's limit is for a whole answer; a stream has none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	f := w.(flusher) // as net/http's is
	_, _ = io.WriteString(f, "event: beat\n\n")
	f.Flush()
	s.mu.Lock()
	s.open = append(s.open, f)
	s.mu.Unlock()
	<-r.Context().Done()
}

func (s *streams) write(event []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.open {
		_, _ = f.Write(event)
		f.Flush()
	}
}
