package drivertest

import (
	"context"
	"fmt"
	"testing"
)

// ProofCases are the cases that try a store at random, against a model: in
// lockstep, for linearizability, and against its own log.
func ProofCases() []Case {
	return []Case{modelCase(), shortCase(), longCase(), revisionCase()}
}

// TestProof runs ProofCases.
func TestProof(t *testing.T, h Harness) { test(t, &h, ProofCases()) }

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
		for i := range uint64(histories) {
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
		history := cl.run(r.ctx, r, seed)
		if err := history.Check(); err != nil {
			r.fail("%w", history.save(err))
		}
	}).Run(ctx, h)
}

// Do implements Doer with the stores of a rig, one after the other.
func (r *rig) Do(ctx context.Context, c *Call) Answer { return DoerOf(r.s()).Do(ctx, c) }
