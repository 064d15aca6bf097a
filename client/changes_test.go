package client_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/memory"
)

// A cutter passes bytes on to a server and cuts every connection off after some
// number of them.
type cutter struct {
	l    net.Listener
	to   string
	work sync.WaitGroup
	mu   sync.Mutex
	rnd  *rand.Rand
	cuts int
}

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &cutter{l: l, to: strings.TrimPrefix(to, "http://"), rnd: rand.New(rand.NewPCG(seed, 0))}
	c.work.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			after := int64(c.rnd.IntN(6000))
			c.cuts++
			c.mu.Unlock()
			c.work.Go(func() { c.pass(in, after) })
		}
	})
	return c
}

func (c *cutter) pass(in net.Conn, after int64) {
	defer in.Close()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	c.work.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	_, _ = io.CopyN(in, out, after)
	_ = out.Close()
}

func (c *cutter) close() {
	_ = c.l.Close()
	c.work.Wait()
}

// Whatever becomes of connections, changes come in order, none missing and none
// twice.
func TestChangesOverCutConnections(t *testing.T) {
	ctx := t.Context()
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := serve(s)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.close()
	cut := newCutter(t, srv.url)
	defer cut.close()
	var c *stet.Store
	for range 20 { // to open it takes a connection that is not cut at once
		if c, err = client.Open(ctx, "http://"+cut.l.Addr().String(), &client.Options{RetryBudget: 1 << 20, FirstWait: time.Millisecond}); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const last = 300
	var work sync.WaitGroup
	work.Go(func() {
		for i := range last {
			if _, err := s.Save(ctx, stet.Draft{PromptID: "p", Text: fmt.Sprint(i), Bump: "patch"}); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 4 {
		work.Go(func() {
			since := uint64(0)
			for ch, err := range c.Changes(ctx, since, stet.ChangesOptions{Texts: i%2 == 0}) {
				if err != nil {
					t.Errorf("after revision %d: %v", since, err)
					return
				}
				if ch.Revision != since+1 {
					t.Errorf("revision %d comes after %d", ch.Revision, since)
					return
				}
				if v := ch.Ops[0].Save.Content; i%2 == 0 && (v == nil || v.Text() != fmt.Sprint(since)) {
					t.Errorf("revision %d has the text %v", ch.Revision, v)
				}
				if since = ch.Revision; since == last {
					return
				}
			}
		})
	}
	work.Wait()
	cut.mu.Lock()
	defer cut.mu.Unlock()
	if cut.cuts < 20 {
		t.Errorf("only %d connections were cut", cut.cuts)
	}
}

// A client that the server calls too slow reads pages, and then goes on as before.
func TestChangesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		change := func(n int) string {
			return fmt.Sprintf(`{"revision":%d,"id":"i","time":"2026-01-01T00:00:00.000000Z","ops":[]}`, n)
		}
		f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
			stream := r.Header.Get("Accept") == "text/event-stream"
			asked = append(asked, fmt.Sprint(stream, " ", r.URL.Query().Get("since")))
			event := func(name string, n int, data string) {
				fmt.Fprintf(w, "id: s.%d\nevent: %s\ndata: %s\n\n", n, name, data)
			}
			if stream {
				w.Header().Set("Content-Type", "text/event-stream")
			}
			switch len(asked) {
			case 1:
				event("change", 1, change(1))
				event("change", 1, change(1)) // twice
				event("end", 1, `{"reason":"too slow"}`)
			case 2:
				fmt.Fprintf(w, `{"commits":[%s,%s],"next":"s.3","as_of":4}`, change(2), change(3))
			case 3:
				fmt.Fprintf(w, `{"commits":[%s],"as_of":4}`, change(4))
			case 4:
				event("change", 5, change(5))
				fmt.Fprint(w, "id: s.6\nevent: change\ndata: "+change(6)) // cut off
			default:
				event("change", 6, change(6))
			}
		})
		var got []uint64
		for ch, err := range f.store.Changes(t.Context(), 0, stet.ChangesOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, ch.Revision); ch.Revision == 6 {
				break
			}
		}
		if fmt.Sprint(got) != "[1 2 3 4 5 6]" || fmt.Sprint(asked) != "[true s.0 false s.1 false s.3 true s.4 true s.5]" {
			t.Errorf("there came %v, and was asked for %v", got, asked)
		}
	})
}

// What answers in the server's stead for a moment does not end the following.
func TestChangesOverLogin(t *testing.T) {
	for bad, code := range map[int]stet.Code{2: "", 3: stet.CodeUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked <= bad {
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, "<form>")
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprint(w, "id: s.1\nevent: change\ndata: {\"revision\":1,\"id\":\"i\",\"time\":\"2026-01-01T00:00:00.000000Z\",\"ops\":[]}\n\n")
			})
			for _, err := range f.store.Changes(t.Context(), 0, stet.ChangesOptions{}) {
				if stet.CodeOf(err) != code || err != nil && !strings.Contains(err.Error(), "no events") {
					t.Errorf("after %d answers that are none the error is %v", bad, err)
				}
				break
			}
		})
	}
}

// What cannot be understood is not asked for again for ever.
func TestChangesGarbled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "id: s.0\nevent: beat\ndata: {}\n\nid: s.1\nevent: change\ndata: {\"revision\":\n\n")
		})
		for _, err := range f.store.Changes(t.Context(), 0, stet.ChangesOptions{}) {
			if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "an event after revision 0") {
				t.Errorf("the error is %v", err)
			}
		}
	})
}
