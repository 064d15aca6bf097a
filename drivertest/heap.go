package drivertest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
)

// The texts of the heap cases: large enough, all together, that nothing else that
// lives in the process comes near.
const (
	heapTexts = 48
	heapText  = 512 << 10
)

// liveHeap is how many bytes are reachable.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what the first one has let finalizers and pools let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// large is a draft with a text of its own.
func large(id string, i int) stet.Draft {
	start := fmt.Sprintf("%s %d ", id, i)
	return stet.Draft{PromptID: id, Text: start + strings.Repeat("x", heapText-len(start))}
}

// freed notes a failure unless f lets go of all but a small part of the texts that
// make saves.
func (r *rig) freed(what string, make, f func()) {
	before := liveHeap()
	make()
	f()
	if r.log != nil && r.h.Sweep != nil {
		r.must(r.h.Sweep(r.ctx, r.log), "removing what was dropped")
	}
	for range r.stores { // each has heard of it, and its last batch is not the one with the texts
		r.save(text("after", what))
		r.head("after")
	}
	if grown := liveHeap() - before; grown > heapTexts*heapText/4 {
		r.fail("%s: %d KiB more are in memory than before %d KiB of texts were saved", what, grown>>10, heapTexts*heapText>>10)
	}
}

// HeapCases returns the cases that measure how much memory a store keeps. Nothing else may
// run in the process meanwhile.
func HeapCases() []Case { return heapCases }

// TestHeap runs HeapCases as subtests. A test that calls it must not be parallel.
func TestHeap(t *testing.T, h Harness) { test(t, &h, HeapCases()) }

var heapCases = []Case{
	storeCase("heap/deleted", "The text of a version that was deleted leaves the memory, once nobody holds it any more.", func(r *rig) {
		r.freed("deleted one by one, and read before", func() {
			for i := range heapTexts {
				r.save(large("a", i))
			}
		}, func() {
			for i := range heapTexts {
				n := r.get(fmt.Sprintf("a@#%d", i+1)).Number().String()
				r.delete("a", n)
			}
		})
		r.freed("deleted with their prompt", func() {
			for i := range heapTexts {
				r.save(large("b", i))
			}
		}, func() { r.delete("b", "") })
		r.freed("deleted in the commit that saved them", func() {}, func() {
			for i := range heapTexts / 8 {
				var ops []stet.Op
				for j := range 8 {
					ops = append(ops, op(large("c", 8*i+j)))
				}
				r.commit(append(ops, op(stet.Delete{PromptID: "c"}))...)
			}
		})
	}),

	storeCase("heap/cleared", "The texts that were there before a clear leave the memory, once nobody holds them any more.", func(r *rig) {
		r.freed("cleared", func() {
			for i := range heapTexts {
				r.save(large("a", i))
			}
		}, r.clear)
		r.freed("cleared in the commit that saved them", func() {}, func() {
			for i := range heapTexts / 8 {
				var ops []stet.Op
				for j := range 8 {
					ops = append(ops, op(large("c", 8*i+j)))
				}
				r.commit(append(ops, op(stet.Clear{}))...)
			}
		})
	}),
}
