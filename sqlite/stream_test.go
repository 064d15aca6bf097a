package sqlite

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet/driver"
)

// However many chunks an append has, it removes dropNow bodies itself and notes the
// others: each may be on a page of its own.
func TestDropInChunks(t *testing.T) {
	l := newLog(t)
	const n = dropNow - 10
	add(t, l, 2*n)
	tail := tailOf(t, l)
	es := next(tail, 2)
	for i := range n {
		es[0].Dropped = append(es[0].Dropped, ref(uint64(1+i)))
		es[1].Dropped = append(es[1].Dropped, ref(uint64(1+n+i)))
	}
	removed := 0
	l.turn <- struct{}{}
	l.w.hook = func(query string, run func() error) error {
		if strings.HasPrefix(query, "DELETE FROM bodies WHERE key =") {
			removed++
		}
		return run()
	}
	l.give()
	err := l.AppendStream(t.Context(), tail, func(yield func([]driver.Entry) bool) {
		_ = yield(es[:1]) && yield(es[1:])
	})
	if err != nil {
		t.Fatal(err)
	}
	l.turn <- struct{}{}
	l.w.hook = nil
	l.give()
	if removed != n {
		t.Errorf("the append removed %d bodies itself, and not the %d of its first chunk", removed, n)
	}
	sweep(l)
	bodies(t, l, 1, 2*n, false)
}

// If what gives the chunks panics, or ends its goroutine, nothing was added, and the
// next append works.
func TestStreamAbandoned(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "exit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			add(t, l, 3)
			tail := tailOf(t, l)
			es := next(tail, 2)
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }()
				_ = l.AppendStream(t.Context(), tail, func(yield func([]driver.Entry) bool) {
					yield(es[:1])
					end()
				})
			}()
			<-done
			has(t, l, 3)
			if err := l.Append(t.Context(), tail, es); err != nil {
				t.Fatal(err)
			}
			has(t, l, 5)
		})
	}
}

// A copy that is being verified refuses to be written to, in chunks as well.
func TestStillRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	l := openAt(t, path)
	add(t, l, 2)
	tail := tailOf(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := openStill(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var log driver.Log = s
	err = log.(driver.Streamer).AppendStream(t.Context(), tail, func(yield func([]driver.Entry) bool) { yield(next(tail, 1)) })
	if err == nil || !strings.Contains(err.Error(), "a copy is not written to") {
		t.Errorf("writing to a copy: %v", err)
	}
}
