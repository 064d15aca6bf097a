package drivertest

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stet-dev/stet"
)

// ProofCases returns the cases that make random calls: they compare a store with a model
// step by step, check concurrent calls for linearizability, and compare answers with the
// store's own log.
func ProofCases() []Case {
	return []Case{modelCase(), growthCase(), shortCase(), longCase(), revisionCase()}
}

// TestProof runs ProofCases as subtests, and never in a bubble: the checker of
// linearizability has a limit of real time.
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

// long is how many versions growthCase puts into a history, for it to take seconds:
// 100,000 in memory; 20,000 where a commit is synced or goes over a network, and with
// the race detector, under which all takes ten times as long; and what shows a copy
// already where answers get lost and are waited for.
func (r *rig) long() int {
	build, _ := debug.ReadBuildInfo()
	switch {
	case r.h.Unreliable:
		return growthLeast
	case r.log == nil || !r.log.Info().Resident || slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}):
		return 20_000
	}
	return growthMost
}

// growthLeast is a length at which a copy is found, and found soon.
const growthLeast, growthMost = 2_500, 100_000

// growthCase counts bytes, not time: a save into a long history that copies it
// takes some 8 bytes a version more than one into a short history. More than half of
// that is a copy; the rest is what a service in between differs by. One history
// has its numbers in order, the other mixes them.
func growthCase() Case {
	const short = 200
	return storeCase("save/does-not-copy-the-history",
		"Saving to a long history does not copy it, though numbers arrive out of order.",
		func(r *rig) {
			mixed := func(i int) string { return fmt.Sprintf("1.%d", i*38_197%growthMost) } // each once
			fill := func(name string, from, to int) {
				for from < to {
					var ops []stet.Op
					for ; from < to && len(ops) < 1000; from++ {
						ops = append(ops,
							op(stet.Draft{PromptID: "ordered/" + name, Text: "text", Version: fmt.Sprintf("1.%d.0", from)}),
							op(stet.Draft{PromptID: "mixed/" + name, Text: "text", Version: mixed(from) + ".0"}))
					}
					r.commit(ops...)
				}
			}
			saves := 0
			cost := func(kind, name string) uint64 {
				const each = 8
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range each {
					d := stet.Draft{PromptID: kind + name, Text: "text", Bump: "patch"} // behind all others
					if kind == "mixed/" {
						saves++
						d.Version, d.Bump = fmt.Sprintf("%s.%d", mixed(saves), saves), ""
					}
					r.save(d)
				}
				runtime.ReadMemStats(&after)
				return (after.TotalAlloc - before.TotalAlloc) / each
			}
			check := func(long int) {
				most := uint64(4 * long)
				for _, kind := range []string{"ordered/", "mixed/"} {
					// The least of several: others may be allocating meanwhile, and what is
					// pooled is allocated anew now and then.
					few, many := uint64(math.MaxUint64), uint64(math.MaxUint64)
					for i := 0; i < 2 || i < 80 && many >= few+most; i++ {
						few, many = min(few, cost(kind, "short")), min(many, cost(kind, "long"))
					}
					r.ok(many < few+most, "a save into %s%d versions takes %d bytes of memory, and one into %d takes %d", kind, long, many, short, few)
				}
			}
			fill("short", 0, short)
			fill("long", 0, growthLeast)
			check(growthLeast)
			if long := r.long(); long > growthLeast && len(r.errs) == 0 {
				fill("long", growthLeast, long)
				check(long)
			}
			p, err := r.s().ListPage(r.ctx, "mixed/long", stet.ListOptions{Limit: 1000})
			r.must(err, "listing")
			for i, v := range p.Items[1:] {
				r.ok(v.Number().Less(p.Items[i].Number()), "%s comes after %s", v.Number(), p.Items[i].Number())
			}
			first := r.get(fmt.Sprintf("mixed/long@#%d", growthLeast))
			r.same("the number of an early version", first.Number(), mixed(growthLeast-1)+".0")
		})
}
