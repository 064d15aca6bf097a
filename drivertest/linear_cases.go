package drivertest

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stet-dev/stet"
)

// ProofCases are the cases that try a store at random, against a model: in
// lockstep, for linearizability, and against its own log.
func ProofCases() []Case {
	return []Case{modelCase(), growthCase(), shortCase(), longCase(), revisionCase()}
}

// TestProof runs ProofCases, not in a bubble: porcupine computes, and its time is
// bounded.
func TestProof(t *testing.T, h Harness) {
	h.Bubble = false
	test(t, &h, ProofCases())
}

// shortCase cannot be partitioned: clear and commits over several prompts concern
// all of them. So its histories are short and many.
func shortCase() Case {
	return linearCase("linear/all-operations",
		"Every operation, commits over several prompts and clear included, takes effect at one instant between its call and its return.",
		rounds(200), clients{n: 8, calls: 12, writes: 60, give: 6, world: worldPrompts[:3], past: true})
}

// longCase is checked prompt by prompt, and so its histories can be long.
func longCase() Case {
	return linearCase("linear/prompt-by-prompt",
		"Every operation on one prompt takes effect at one instant between its call and its return.",
		rounds(4), clients{n: 8, calls: 400, writes: 50, give: 2, world: worldPrompts, single: true})
}

func linearCase(name, rule string, histories int, cl clients) Case {
	return Case{Name: name, Rule: rule, Run: func(ctx context.Context, h *Harness) error {
		first := seed()
		enough := budget(10 * time.Second)
		for i := range uint64(histories) {
			if enough() {
				break
			}
			if err := linearRun(ctx, h, cl, first+i); err != nil {
				return fmt.Errorf("history %d (-seed=%d): %w", i+1, first+i, err)
			}
		}
		return nil
	}}
}

// linearRun makes one history with a new store and checks it.
func linearRun(ctx context.Context, h *Harness, cl clients, seed uint64) error {
	return storeCase("", "", func(r *rig) {
		cl.sure = len(r.stores) > 1
		history := cl.run(r.ctx, r, seed)
		history.Lossy = h.Unreliable
		if err := history.Check(); err != nil {
			r.fail("%w", history.save(err))
		}
	}).Run(ctx, h)
}

// Do implements Doer with the stores of a rig, one after the other.
func (r *rig) Do(ctx context.Context, c *Call) Answer { return DoerOf(r.s()).Do(ctx, c) }

// growthCase counts bytes, not time: a save into a long history that copies it
// takes some 8 bytes a version more than one into a short history.
func growthCase() Case {
	const short, long = 200, 5_000
	return storeCase("save/does-not-copy-the-history",
		"Saving to a long history does not copy it.",
		func(r *rig) {
			fill := func(id string, n int) {
				for i := 0; i < n; {
					var ops []stet.Op
					for ; i < n && len(ops) < 1000; i++ {
						ops = append(ops, op(stet.Draft{PromptID: id, Text: "text", Version: fmt.Sprintf("1.%d.0", i)}))
					}
					r.commit(ops...)
				}
			}
			fill("short", short)
			fill("long", long)
			cost := func(id string) uint64 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				const saves = 8
				for range saves {
					r.save(stet.Draft{PromptID: id, Text: "text", Bump: "patch"})
				}
				runtime.ReadMemStats(&after)
				return (after.TotalAlloc - before.TotalAlloc) / saves
			}
			// The least of several: others may be allocating meanwhile, and what is
			// pooled is allocated anew now and then.
			few, many := uint64(math.MaxUint64), uint64(math.MaxUint64)
			for i := 0; i < 8 || i < 80 && many >= few+long; i++ {
				few, many = min(few, cost("short")), min(many, cost("long"))
			}
			r.ok(many < few+long, "a save into %d versions takes %d bytes of memory, and one into %d takes %d", long, many, short, few)
		})
}
