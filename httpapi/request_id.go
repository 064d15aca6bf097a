package httpapi

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
)

// headerRequestID is the header of every answer that names the request, in logs too.
const headerRequestID = "Stet-Request-Id"

// maxRequestID bounds the X-Request-Id that is taken over: a UUID and more.
const maxRequestID = 64

// requestIDs makes the ids of requests: a random prefix, which two servers hardly share,
// and a count.
type requestIDs struct {
	start string
	count *atomic.Uint64
}

func newRequestIDs() requestIDs {
	return requestIDs{strconv.FormatUint(rand.Uint64()|1<<63, 36) + "-", new(atomic.Uint64)}
}

func (i requestIDs) next() string {
	var b [40]byte
	return string(strconv.AppendUint(append(b[:0], i.start...), i.count.Add(1), 36))
}

// identify gives every request its id: X-Request-Id if that is short and harmless, else a
// new one. Later handlers read it from the answer's header.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := r.Header["X-Request-Id"]; len(v) == 1 && saneID(v[0]) {
			w.Header()[headerRequestID] = v
		} else {
			w.Header()[headerRequestID] = []string{s.ids.next()}
		}
		next.ServeHTTP(w, r)
	})
}

func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
