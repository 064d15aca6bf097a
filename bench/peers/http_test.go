package peers

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet/bench/report"
)

// TestMain lets the tests' program be one of the servers, as the program is.
func TestMain(m *testing.M) {
	BeServer()
	os.Exit(m.Run())
}

// TestRowsOverHTTP runs each row, for as short as it goes: whether it still works,
// not what it says.
func TestRowsOverHTTP(t *testing.T) {
	for _, m := range overHTTP() {
		t.Run(m.name+" × "+m.peer, func(t *testing.T) {
			r, err := m.run(context.Background(), plan{rounds: 1, lap: time.Millisecond, dir: t.TempDir()}, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			if !r.complete() || median(r.stetLaps) <= 0 || median(r.peerLaps) <= 0 {
				t.Errorf("not measured: %v", r.cells())
			}
		})
	}
}

// answerWith is a connection on whose other end each request is answered with pieces
// that arrive one by one.
func answerWith(t *testing.T, pieces ...string) *rawConn {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	go func() {
		defer theirs.Close()
		if _, err := theirs.Read(make([]byte, 100)); err != nil {
			return
		}
		for _, p := range pieces {
			if _, err := theirs.Write([]byte(p)); err != nil {
				return
			}
		}
	}()
	return &rawConn{Conn: ours, buf: make([]byte, longestAnswer)}
}

func TestRawConn(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
	for _, tt := range []struct {
		name   string
		status string
		pieces []string
		body   string
		fails  string // what the error has in it, "" for none
	}{
		{"whole", "200", []string{ok + "text"}, "text", ""},
		{"in pieces", "200", []string{ok[:20], ok[20 : len(ok)-2], ok[len(ok)-2:] + "te", "xt"}, "text", ""},
		{"no body", "304", []string{"HTTP/1.1 304 Not Modified\r\n\r\n"}, "", ""},
		{"another status", "200", []string{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"}, "", "the status is 503"},
		{"no length", "200", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}, "", "does not say its length"},
		{"cut", "200", []string{ok + "te"}, "", "EOF"},
		{"too much", "200", []string{ok + "text and more"}, "", "9 bytes came after"},
		{"too long", "200", []string{"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"}, "", "length cannot be"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, body, err := answerWith(t, tt.pieces...).exchange([]byte("GET / HTTP/1.1\r\n\r\n"), tt.status)
			switch {
			case tt.fails == "" && err != nil:
				t.Fatal(err)
			case tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("the error is %v, and not about %q", err, tt.fails)
			case tt.fails == "" && string(body) != tt.body:
				t.Errorf("the body is %q, want %q", body, tt.body)
			}
		})
	}
}

func TestABoundIsOnStetsOwnFigure(t *testing.T) {
	for _, tt := range []struct {
		stet float64
		want string
	}{
		{40 << 10, "41.0 kB 10.2 kB 4.00 4.00–4.00 ≤ 41.0 kB met"},
		{41 << 10, "42.0 kB 10.2 kB 4.10 4.10–4.10 ≤ 41.0 kB MISSED"},
	} {
		r := result{
			measure:  measure{better: atMost, most: 40 << 10, unit: report.Bytes},
			stetLaps: []sample{{nanos: tt.stet}}, peerLaps: []sample{{nanos: 10 << 10}},
		}
		cells := append(r.cells()[1:2], r.cells()[3:]...)
		if got := strings.Join(cells, " "); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
