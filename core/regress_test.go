package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

// The tests in the files regress_*_test.go each show one defect that a review found
// at commit a11b081; docs/bugs.md has the list. Each fails there. Those that need
// calls to meet run in a bubble, where waiting takes no time.

// A hook is a log in memory with functions in the place of its methods.
type hook struct {
	*memory.Log
	append_ func(ctx context.Context, prev driver.Tail, e []driver.Entry) error
	read    func(ctx context.Context, after uint64, limit int) ([]driver.Entry, error)
	body    func(ctx context.Context, r driver.BodyRef) (driver.Body, error)
	wait    func(ctx context.Context, after uint64) error
	shared  bool // others append as well
	keep    bool // it survives being closed
}

func newHook() *hook { return &hook{Log: memory.New()} }

// Info says that bodies are not in memory anyway, so that they are asked for.
func (h *hook) Info() driver.Info {
	i := h.Log.Info()
	i.Resident, i.Exclusive = false, !h.shared
	return i
}

func (h *hook) Append(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
	if h.append_ != nil {
		return h.append_(ctx, prev, e)
	}
	return h.Log.Append(ctx, prev, e)
}

func (h *hook) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	if h.read != nil {
		return h.read(ctx, after, limit)
	}
	return h.Log.Read(ctx, after, limit)
}

func (h *hook) Body(ctx context.Context, r driver.BodyRef) (driver.Body, error) {
	if h.body != nil {
		return h.body(ctx, r)
	}
	return h.Log.Body(ctx, r)
}

func (h *hook) Wait(ctx context.Context, after uint64) error {
	if h.wait != nil {
		return h.wait(ctx, after)
	}
	return h.Log.Wait(ctx, after)
}

func (h *hook) Close() error {
	if h.keep {
		return nil
	}
	return h.Log.Close()
}

func start(t *testing.T, l driver.Log, o core.Options) *core.Core {
	t.Helper()
	s, err := core.Open(t.Context(), l, &o)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Backend().(*core.Core)
	t.Cleanup(func() { c.Close() })
	return c
}

// bare is a store in a hook that caches nothing.
func bare(t *testing.T, h *hook) *core.Core {
	t.Helper()
	return start(t, h, core.Options{CacheBytes: -1})
}

func saving(id, text string) stet.Op {
	return stet.Op{Save: &stet.Draft{PromptID: id, Text: text}}
}

func deleting(id, version string) stet.Op {
	return stet.Op{Delete: &stet.Delete{PromptID: id, Version: version}}
}

// until waits, in a bubble, until something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	end := time.After(time.Hour)
	for !so() {
		select {
		case <-time.After(time.Millisecond):
		case <-end:
			t.Fatalf("an hour has passed, and not: %s", what)
		}
	}
}

// idsOf returns how often each id is in a log.
func idsOf(t *testing.T, l *memory.Log) map[string]int {
	t.Helper()
	n := map[string]int{}
	for at := uint64(0); ; {
		entries, err := l.Read(t.Context(), at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return n
		}
		for _, e := range entries {
			n[e.ID]++
			at = e.Revision
		}
	}
}
