package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// The benchmarks hold the server against a bare net/http handler that answers with
// the same bytes, over real sockets of this machine, in turns: what else the
// machine does then hits both. of-bare is the ratio of their requests per second.
//
//	go test ./httpapi -run '^$' -bench OfBare

// turn is how long one of the two works before the other does.
const turn = 100 * time.Millisecond

func BenchmarkGetOfBare(b *testing.B) {
	store := benchStore(b, "memory")
	body := savePrompt(b, store)
	ofBare(b, New(store, Options{}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Type"] = typeJSON
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.Write(body)
	}), 8, func() []byte {
		return []byte("GET /v1/prompts/support%2Ftriage/versions/latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
	})
}

func BenchmarkNotModifiedOfBare(b *testing.B) {
	store := benchStore(b, "memory")
	savePrompt(b, store)
	s := New(store, Options{})
	v, err := store.Latest(context.Background(), "support/triage")
	if err != nil {
		b.Fatal(err)
	}
	tag := s.versionTag(v) + `"`
	ofBare(b, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == tag {
			w.Header()["Etag"] = []string{tag}
			w.WriteHeader(http.StatusNotModified)
		}
	}), 8, func() []byte {
		return []byte("GET /v1/prompts/support%2Ftriage/versions/latest HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: " + tag + "\r\n\r\n")
	})
}

func BenchmarkSaveOfBare(b *testing.B) {
	for _, engine := range []string{"memory", "sqlite"} {
		b.Run(engine, func(b *testing.B) {
			store := benchStore(b, engine)
			answer := savePrompt(b, store)
			var n atomic.Int64
			ofBare(b, New(store, Options{}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return
				}
				h := w.Header()
				h["Content-Type"] = typeJSON
				h["Content-Length"] = []string{strconv.Itoa(len(answer))}
				w.WriteHeader(http.StatusCreated)
				w.Write(answer)
			}), 64, func() []byte {
				i := n.Add(1)
				body := fmt.Sprintf(`{"text":"%d %s"}`, i, benchText)
				return fmt.Appendf(nil, "POST /v1/prompts/p%d/versions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", i%1000, len(body), body)
			})
		})
	}
}

var benchText = strings.Repeat("You are a careful assistant. Answer in the words of the user, and ask when in doubt. ", 14)

func benchStore(b *testing.B, engine string) *stet.Store {
	b.Helper()
	var store *stet.Store
	var err error
	if engine == "memory" {
		store, err = memory.Open()
	} else {
		store, err = sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "stet.db"))
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return store
}

// savePrompt saves a prompt whose JSON has some 1.5 KB and returns that.
func savePrompt(b *testing.B, store *stet.Store) []byte {
	b.Helper()
	v, err := store.Save(context.Background(), stet.Draft{PromptID: "support/triage", Text: benchText})
	if err != nil {
		b.Fatal(err)
	}
	return append(v.AppendJSON(nil), '\n')
}

// ofBare sends b.N requests to each handler, over a number of connections, and
// reports how they compare.
func ofBare(b *testing.B, server, bare http.Handler, conns int, request func() []byte) {
	stet, plain := newLoad(b, server, conns, request), newLoad(b, bare, conns, request)
	stet.run(turn, 1<<30)
	plain.run(turn, 1<<30) // both are warm
	b.ResetTimer()
	var took, bareTook time.Duration
	n, bareN := 0, 0
	for n < b.N {
		done, t := plain.run(turn, b.N)
		bareN, bareTook = bareN+done, bareTook+t
		done, t = stet.run(turn, b.N)
		n, took = n+done, took+t
	}
	rate, bareRate := float64(n)/took.Seconds(), float64(bareN)/bareTook.Seconds()
	b.ReportMetric(rate/bareRate, "of-bare")
	b.ReportMetric(rate, "req/s")
	b.ReportMetric(bareRate, "bare-req/s")
	b.ReportMetric(0, "ns/op") // it would be of both
}

// A load is a handler and the connections to it.
type load struct {
	b       *testing.B
	conns   []*loadConn
	request func() []byte
}

type loadConn struct {
	net.Conn
	r *bufio.Reader
}

func newLoad(b *testing.B, h http.Handler, conns int, request func() []byte) *load {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(l) }()
	b.Cleanup(func() { server.Close(); <-served })
	out := &load{b: b, request: request}
	for range conns {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		out.conns = append(out.conns, &loadConn{c, bufio.NewReaderSize(c, 16<<10)})
	}
	return out
}

// run makes requests for a time, at most a number of them, and returns how many
// they were and how long they took.
func (l *load) run(d time.Duration, most int) (int, time.Duration) {
	var n atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for _, c := range l.conns {
		all.Go(func() {
			for time.Since(start) < d && n.Add(1) <= int64(most) {
				if err := c.exchange(l.request()); err != nil {
					l.b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return min(int(n.Load()), most), time.Since(start)
}

// exchange is the least that a client can do, so that what is measured is the server.
func (c *loadConn) exchange(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	length, status := 0, ""
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if status == "" {
			status = string(line[9:12])
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return err
			}
		}
	}
	if status[0] != '2' && status != "304" {
		return fmt.Errorf("the status is %s", status)
	}
	_, err := c.r.Discard(length)
	return err
}
