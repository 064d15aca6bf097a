package httpapi

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

const (
	idleSubscribers = 1000
	// idleTarget is how many bytes of heap and stacks an idle subscriber may take.
	idleTarget = 40 << 10
)

// crowd opens connections to one URL, as raw as can be, so that what they cost here
// is little and the same for whatever they are connected to.
func crowd(t *testing.T, url string, n int) (hangUp func()) {
	addr, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	var conns []net.Conn
	var buf [4 << 10]byte
	for range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", path, addr)
		for got := 0; !bytes.Contains(buf[:got], []byte("\r\n\r\n")) || !bytes.Contains(buf[:got], []byte("event: beat")); {
			m, err := conn.Read(buf[got:])
			if err != nil {
				t.Fatal(err)
			}
			got += m
		}
	}
	return func() {
		for _, conn := range conns {
			conn.Close()
		}
	}
}

// bareStream is what one would write without stet: a handler that waits.
func bareStream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "event: beat\n\n")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// inUse returns the bytes of live heap and of stacks.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestIdleSubscribers holds what an idle subscriber takes against the bound. What
// the other end of its connection takes, in the same process, is counted too: it
// is little.
func TestIdleSubscribers(t *testing.T) {
	each := func(url string, n int) int64 {
		before, running := inUse(), runtime.NumGoroutine()
		hangUp := crowd(t, url, n)
		took := inUse() - before
		hangUp()
		// Those of one crowd that are still about to leave would be taken off the next.
		await(t, func() bool { return runtime.NumGoroutine() <= running })
		return took / int64(n)
	}
	r := newChangesRig(t, Options{})
	most := int64(idleTarget)
	if build, _ := debug.ReadBuildInfo(); slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		most += most / 4 // stacks are larger then
	}
	srv := httptest.NewServer(http.HandlerFunc(bareStream))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	r.saves("a", 10)
	bare := each(srv.URL+"/", idleSubscribers)
	for _, query := range []string{"", "?prefix=a&texts=true"} {
		ours := each(r.url+"/v1/changes"+query, idleSubscribers)
		t.Logf("an idle subscriber%s takes %d bytes; of a bare handler %d", query, ours, bare)
		if ours > most {
			t.Errorf("an idle subscriber%s takes %d bytes; %d is the most", query, ours, most)
		}
	}
}
