package core_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// many fills a store with versions of so many prompts, some of them deleted, some from
// before a clear.
func many(t *testing.T, c *core.Core, prompts, each int) {
	t.Helper()
	id := func(i int) string { return fmt.Sprintf("p/%d", i) }
	for i := range 20 {
		commit(t, c, saving(id(i), "before"))
	}
	commit(t, c, stet.Op{Clear: &stet.Clear{}})
	for n := range each {
		for from := 0; from < prompts; from += 500 {
			var ops []stet.Op
			for i := from; i < min(from+500, prompts); i++ {
				ops = append(ops, saving(id(i), fmt.Sprintf("text %d of %d", n, i)))
			}
			commit(t, c, ops...)
		}
	}
	commit(t, c, deleting(id(1), "1.0.0"), deleting(id(2), ""))
}

// A store that is verified in parts is found to be as sound as one that is verified at
// once, and what is wrong in any part is found.
func TestVerifyInParts(t *testing.T) {
	h := newHook()
	c := bare(t, h)
	many(t, c, 300, 8)
	whole, err := c.Verify(t.Context(), stet.VerifyOptions{})
	if err != nil || !whole.OK() || whole.Prompts != 299 || whole.Versions != 2391 {
		t.Fatalf("at once: %+v, %v", whole, err)
	}
	defer core.VerifyAtOnce(100)()
	parts, err := c.Verify(t.Context(), stet.VerifyOptions{Expect: whole.Hash})
	if err != nil || fmt.Sprint(parts) != fmt.Sprint(whole) {
		t.Errorf("in parts %+v, %v; at once %+v", parts, err, whole)
	}
	bad := 0
	h.body = func(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
		b, err := h.Log.Body(ctx, ref)
		if ref.Ordinal == 7 && strings.HasSuffix(ref.PromptID, "3") {
			bad++
			b.Text += "!"
		}
		return b, err
	}
	parts, err = c.Verify(t.Context(), stet.VerifyOptions{})
	if err != nil || len(parts.Problems) != bad || bad != 30 {
		t.Errorf("of %d bad texts %d were found: %v", bad, len(parts.Problems), err)
	}
}

// What a check takes beside the store does not grow with the store.
func TestVerifyTakesBoundedMemory(t *testing.T) {
	c := bare(t, newHook())
	many(t, c, 2_000, 6)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	grows := func() uint64 {
		before, most := heap(), uint64(0)
		r, err := c.Verify(t.Context(), stet.VerifyOptions{Progress: func(done, total uint64) {
			if done == total || done%4096 == 0 {
				most = max(most, heap())
			}
		}})
		if err != nil || !r.OK() {
			t.Fatalf("%+v, %v", r, err)
		}
		return most - min(before, most)
	}
	whole := grows()
	defer core.VerifyAtOnce(1_000)()
	parts := grows()
	t.Logf("12,000 versions at once: %d KB; 1,000 at a time: %d KB", whole>>10, parts>>10)
	if parts > whole/3 {
		t.Errorf("in parts of 1,000 versions the check took %d bytes, and %d at once", parts, whole)
	}
}
