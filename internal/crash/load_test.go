package crash

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// A load is what children commit. A commit is a function of the seed and its id
// alone, whatever the store answers.
type load struct {
	seed    uint64
	prompts int
}

// An id names a commit: the n-th of a worker in one life of the process.
type id struct{ life, worker, n int }

func (i id) String() string { return fmt.Sprintf("%d-%d-%d", i.life, i.worker, i.n) }

func parseID(s string) (i id, err error) {
	_, err = fmt.Sscanf(s, "%d-%d-%d", &i.life, &i.worker, &i.n)
	if err == nil && i.String() != s {
		err = fmt.Errorf("%q is not an id of the load", s)
	}
	return i, err
}

var labels = []string{"production", "staging", "canary"}

func (l load) rng(i id) *rand.Rand {
	return rand.New(rand.NewPCG(l.seed, uint64(i.life)<<40|uint64(i.worker)<<32|uint64(i.n)))
}

// commit returns the commit of an id.
func (l load) commit(i id) stet.Commit {
	rng := l.rng(i)
	c := stet.Commit{ID: i.String(), Author: fmt.Sprintf("worker %d", i.worker)}
	switch kind := rng.IntN(1000); {
	case kind < saves:
		c.Ops = []stet.Op{l.save(i, rng, rng.IntN(l.prompts))}
	case kind < 650:
		c.Ops = []stet.Op{l.label(rng, rng.IntN(l.prompts))}
	case kind < 700:
		c.Ops = []stet.Op{{Rollback: &stet.Rollback{PromptID: l.prompt(rng.IntN(l.prompts)), Label: labels[rng.IntN(len(labels))]}}}
	case kind < 730:
		c.Ops = []stet.Op{{RemoveLabel: &stet.RemoveLabel{PromptID: l.prompt(rng.IntN(l.prompts)), Label: labels[rng.IntN(len(labels))]}}}
	case kind < 850:
		c.Ops = []stet.Op{l.delete(i, rng)}
	case kind < 860:
		c.Ops = []stet.Op{{Delete: &stet.Delete{PromptID: l.prompt(rng.IntN(l.prompts)), Force: true}}}
	case kind < 997:
		// Each prompt once, so that the numbers do not meet.
		for _, p := range rng.Perm(l.prompts)[:2+rng.IntN(l.prompts-1)] {
			c.Ops = append(c.Ops, l.save(i, rng, p))
			if rng.IntN(3) == 0 {
				c.Ops = append(c.Ops, l.label(rng, p))
			}
		}
		c.Message = "several"
	default:
		c.Ops = []stet.Op{{Clear: &stet.Clear{}}}
	}
	return c
}

// saves is how many of 1,000 commits are one save.
const saves = 550

func (l load) prompt(n int) string { return fmt.Sprintf("crash/p%d", n) }

func (l load) save(i id, rng *rand.Rand, p int) stet.Op {
	d := &stet.Draft{PromptID: l.prompt(p)}
	switch rng.IntN(4) {
	case 0, 1:
		d.Version = fmt.Sprintf("%d.%d.%d", i.life, i.worker, i.n)
	case 2:
		d.Bump = "patch"
	}
	size := rng.IntN(1500)
	if rng.IntN(50) == 0 {
		size = 40_000 // more than a page
	}
	d.Text = fmt.Sprintf("%s of %s %s", d.PromptID, i, strings.Repeat("stet ", size/5))
	if rng.IntN(10) == 0 {
		d.IfChanged, d.Text = true, "the same "+d.PromptID
	}
	if rng.IntN(5) == 0 {
		d.Labels = []string{labels[rng.IntN(len(labels))]}
	}
	return stet.Op{Save: d}
}

func (l load) label(rng *rand.Rand, p int) stet.Op {
	return stet.Op{SetLabel: &stet.SetLabel{PromptID: l.prompt(p), Label: labels[rng.IntN(len(labels))], Version: "latest"}}
}

// delete removes what a commit of the same worker shortly before has saved, if it
// has.
func (l load) delete(i id, rng *rand.Rand) stet.Op {
	d := &stet.Delete{PromptID: l.prompt(0), Version: "1.0.0", Force: rng.IntN(2) == 0}
	for m := i.n - 1; m >= max(0, i.n-20); m-- {
		r := l.rng(id{i.life, i.worker, m})
		if r.IntN(1000) < saves {
			s := l.save(id{i.life, i.worker, m}, r, r.IntN(l.prompts)).Save
			if s.Version != "" && !s.IfChanged {
				d.PromptID, d.Version = s.PromptID, s.Version
				break
			}
		}
	}
	return stet.Op{Delete: d}
}

// sum stands for what a caller was told that a commit did.
func sum(results []stet.Result) string {
	text, err := json.Marshal(results)
	if err != nil {
		panic(err) // they are plain
	}
	h := fnv.New64a()
	h.Write(text)
	return fmt.Sprintf("%016x", h.Sum64())
}

// wantResults returns the results that the caller of a commit in the log must have got.
func wantResults(ch *stet.Change) []stet.Result {
	results := make([]stet.Result, len(ch.Ops))
	for i, o := range ch.Ops {
		r := &results[i]
		moved := func(l *stet.LabelChange) {
			r.PromptID, r.Labels = l.PromptID, []stet.LabelChange{{Label: l.Label, From: l.From, To: l.To}}
		}
		switch {
		case o.Save != nil:
			s := o.Save
			*r = stet.Result{PromptID: s.PromptID, Version: s.Version, Ordinal: s.Ordinal, Digest: s.Digest,
				Unchanged: s.Unchanged, Bump: s.Bump, Reason: s.Reason, Labels: s.Labels}
		case o.Delete != nil:
			*r = stet.Result{PromptID: o.Delete.PromptID, Version: o.Delete.Version, Deleted: o.Delete.Deleted, Labels: o.Delete.Labels}
		case o.SetLabel != nil:
			moved(o.SetLabel)
		case o.RemoveLabel != nil:
			moved(o.RemoveLabel)
		case o.Rollback != nil:
			moved(o.Rollback)
		}
	}
	return results
}

// matches says how a commit in the log is not what was asked for, "" if it is.
func matches(c *stet.Commit, ch *stet.Change) string {
	if ch.ID != c.ID || ch.Author != c.Author || ch.Message != c.Message || len(ch.Ops) != len(c.Ops) {
		return fmt.Sprintf("it is %q by %q with %d operations, not %q by %q with %d", ch.ID, ch.Author, len(ch.Ops), c.ID, c.Author, len(c.Ops))
	}
	for i := range c.Ops {
		asked, is := &c.Ops[i], &ch.Ops[i]
		ok := false
		switch {
		case asked.Save != nil && is.Save != nil:
			c, err := content.New(content.Spec{Text: &asked.Save.Text})
			ok = err == nil && is.Save.PromptID == asked.Save.PromptID && is.Save.Digest == c.Digest() &&
				(is.Save.Unchanged || asked.Save.Version == "" || asked.Save.Version == is.Save.Version.String())
		case asked.Delete != nil && is.Delete != nil:
			ok = is.Delete.PromptID == asked.Delete.PromptID && is.Delete.Version.String() == asked.Delete.Version
		case asked.SetLabel != nil && is.SetLabel != nil:
			ok = is.SetLabel.PromptID == asked.SetLabel.PromptID && is.SetLabel.Label == asked.SetLabel.Label
		case asked.RemoveLabel != nil && is.RemoveLabel != nil:
			ok = is.RemoveLabel.PromptID == asked.RemoveLabel.PromptID && is.RemoveLabel.Label == asked.RemoveLabel.Label
		case asked.Rollback != nil && is.Rollback != nil:
			ok = is.Rollback.PromptID == asked.Rollback.PromptID && is.Rollback.Label == asked.Rollback.Label
		case asked.Clear != nil && is.Clear != nil:
			ok = true
		}
		if !ok {
			return fmt.Sprintf("operation %d is not what was asked for", i)
		}
	}
	return ""
}
