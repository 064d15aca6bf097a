package core_test

import (
	"context"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
)

// Subscribers that do not read take no memory, however much there is to read: what
// the heap grows by is the store's, with them and without.
func TestSubscribersThatDoNotReadTakeNoMemory(t *testing.T) {
	const commits, size = 500, 20 << 10
	grown := func(subscribers int) int64 {
		c := bare(t, newHook())
		defer c.Close()
		commit(t, c, saving("p", "one"))
		for range subscribers {
			next, stop := iter.Pull2(c.Changes(context.Background(), 0, stet.ChangesOptions{Texts: true}))
			defer stop()
			if ch, err, ok := next(); !ok || err != nil || ch.Revision != 1 {
				t.Fatal(ch.Revision, err)
			}
		}
		before := inUse()
		for range commits {
			message := strings.Repeat("x", size)
			if _, err := c.Commit(context.Background(), stet.Commit{Message: message, Ops: []stet.Op{saving("p", "more")}}); err != nil {
				t.Fatal(err)
			}
		}
		return inUse() - before
	}
	without := grown(0)
	if without < commits*size {
		t.Fatalf("the store grows by %d bytes; the messages alone are %d", without, commits*size)
	}
	if with := grown(4); with > without+commits*size/10 {
		t.Errorf("with four subscribers that do not read the heap grows by %d bytes, and by %d without", with, without)
	}
}

// inUse is how large the heap is.
func inUse() int64 {
	runtime.GC()
	runtime.GC() // what the first one found in a pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
