package client

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestEventReader(t *testing.T) {
	const stream = ": a comment\n\nretry: 250\n\nid: s.1\nevent: change\ndata: {\"a\":1}\n\n" +
		"id: s.2\r\nevent:beat\r\nunknown: x\r\ndata: one\r\ndata:two\r\n\r\n\n\n:\n\ndata\n\nid: s.3\nevent: change\ndata: " + "x"
	long := strings.Repeat("y", 20_000)
	whole := stream + long + "\n\n"
	want := []event{
		{"s.1", "change", []byte(`{"a":1}`)},
		{"s.2", "beat", []byte("one\ntwo")},
		{"", "", nil},
		{"s.3", "change", []byte("x" + long)},
	}
	for _, slow := range []bool{false, true} {
		in := io.Reader(strings.NewReader(whole))
		if slow {
			in = iotest.OneByteReader(in)
		}
		r := newEventReader(in)
		for i, w := range want {
			e, err := r.next()
			if err != nil || e.id != w.id || e.name != w.name || string(e.data) != string(w.data) {
				t.Errorf("event %d is %+v, %v; want %+v", i, e, err, w)
			}
		}
		if _, err := r.next(); err != io.EOF {
			t.Errorf("the end is %v", err)
		}
		if r.retry != 250*time.Millisecond {
			t.Errorf("retry is %v", r.retry)
		}
	}

	// Cut anywhere, there are only whole events.
	short := "id: s.1\nevent: change\ndata: {}\n\nid: s.2\nevent: change\ndata: {}\n\n"
	for n := range len(short) {
		r := newEventReader(strings.NewReader(short[:n]))
		count := 0
		for {
			if _, err := r.next(); err != nil {
				break
			}
			count++
		}
		if want := n / (len(short) / 2); count != want {
			t.Errorf("of %d bytes there are %d events, and not %d", n, count, want)
		}
	}
}

// What never ends is not kept in memory.
func TestEventReaderIsBounded(t *testing.T) {
	for name, in := range map[string]string{
		"one line":   "data: " + strings.Repeat("x", 5000),
		"many lines": strings.Repeat("data: xxxxxxxxx\n", 500),
		"names":      strings.Repeat("id: xxxxxxxxx\n", 500),
		"unknown":    strings.Repeat("x: xxxxxxxxxx\n", 500),
	} {
		r := newEventReader(io.MultiReader(strings.NewReader(in), iotest.ErrReader(errors.New("read too far"))))
		r.limit = 4096
		if _, err := r.next(); err != errLongEvent {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
