package drivertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

// revisionCase checks what porcupine cannot: many clients, long histories. Every
// answer says as of which revision it is, and the log says what each revision is;
// so one walk over the log decides about every answer, in time that grows with
// their number.
func revisionCase() Case {
	return Case{
		Name: "revision/64-clients",
		Rule: "Every answer is the state at its as-of revision, which is not older than what was acknowledged before the call and not newer than the end of the log at the return; every acknowledged commit is in the log once, with the result told, and no refused one is.",
		Run: func(ctx context.Context, h *Harness) error {
			first := seed()
			for i := range uint64(rounds(1)) {
				err := storeCase("", "", func(r *rig) {
					for _, err := range revisionRun(r, first+i, 64, 60) {
						r.fail("%w", err)
					}
				}).Run(ctx, h)
				if err != nil {
					return fmt.Errorf("(-seed=%d): %w", first+i, err)
				}
			}
			return nil
		},
	}
}

// A witnessed call has the window of revisions in which it must have taken effect.
type witnessed struct {
	call   *Call
	answer Answer
	low    uint64 // the newest revision acknowledged to anybody before the call
	high   uint64 // the tail at the return
}

func revisionRun(r *rig, seed uint64, clients, calls int) []error {
	var acknowledged atomic.Uint64
	seen := make([][]witnessed, clients)
	times(clients, func(i int) {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		ids := 0
		g := &generator{
			pick: rnd.IntN, prompts: worldPrompts, author: fmt.Sprintf("c%d", i), bad: 2,
			ids: func() string { ids++; return fmt.Sprintf("%d-%d", i, ids) },
		}
		for range calls {
			g.past = acknowledged.Load()
			var c *Call
			if g.chance(50) {
				c = g.write()
				if len(c.Commit.Ops) == 1 && c.Commit.Ops[0].Clear != nil && !g.chance(20) {
					continue // once in a while is enough
				}
				if c.Kind != "save" && c.Commit.ID == "" {
					c.Commit.ID = g.ids() // to find it in the log
				}
			} else {
				c = g.read()
			}
			w := witnessed{call: c, low: acknowledged.Load()}
			w.answer = r.Do(r.ctx, c)
			w.high = r.tail()
			for newest := max(w.answer.Revision, w.answer.AsOf); ; {
				old := acknowledged.Load()
				if newest <= old || w.answer.Code != "" || acknowledged.CompareAndSwap(old, newest) {
					break
				}
			}
			g.note(c, &w.answer)
			seen[i] = append(seen[i], w)
		}
	})
	var log []stet.Change
	for since := uint64(0); ; {
		p, err := r.s().ChangesPage(r.ctx, since, stet.ChangesOptions{Limit: 1000})
		if err != nil {
			return []error{fmt.Errorf("reading the log after revision %d: %w", since, err)}
		}
		if len(p.Items) == 0 {
			break
		}
		log = append(log, p.Items...)
		since = p.Items[len(p.Items)-1].Revision
	}
	return judge(log, slices.Concat(seen...))
}

// tail is the newest revision in the log. A store that others write beside may not
// have seen it.
func (r *rig) tail() uint64 {
	var high uint64
	for _, s := range r.stores {
		high = max(high, r.revisionOf(s))
	}
	return high
}

// judge walks over the log and checks each answer where its revision is.
func judge(log []stet.Change, seen []witnessed) (errs []error) {
	wrong := func(w *witnessed, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s\n\tis answered with %s %s\n\t%w", w.call, cmp.Or(w.answer.Code, "ok"), w.answer.Message, fmt.Errorf(format, args...)))
	}
	commits := map[string][]*witnessed{} // by commit id
	reads := map[uint64][]*witnessed{}   // by as-of revision
	byID := map[string][]*witnessed{}
	var refused []*witnessed
	for i := range seen {
		w := &seen[i]
		if w.call.Commit != nil && w.call.Commit.ID != "" {
			byID[w.call.Commit.ID] = append(byID[w.call.Commit.ID], w)
		}
		switch code := stet.Code(w.answer.Code); {
		case code == stet.CodeInternal:
			wrong(w, "that is never right")
		case w.call.Commit != nil && code == "":
			id := cmp.Or(w.call.Commit.ID, w.answer.ID)
			commits[id] = append(commits[id], w)
		case w.call.Commit != nil && code == stet.CodeUnknown:
			id := cmp.Or(w.call.Commit.ID, w.answer.ID)
			commits[id] = append(commits[id], w)
		case code == stet.CodeUnavailable, code == stet.CodeUnknown:
		case code != "":
			refused = append(refused, w)
		case w.answer.AsOf < w.low && w.call.At == 0:
			wrong(w, "as of revision %d, though %d was acknowledged before the call", w.answer.AsOf, w.low)
		case w.answer.AsOf > w.high:
			wrong(w, "as of revision %d, though the log ended at %d at the return", w.answer.AsOf, w.high)
		case w.call.At != 0 && w.answer.AsOf != w.call.At && len(w.answer.Lines) > 0:
			wrong(w, "as of revision %d", w.answer.AsOf)
		case w.call.At != 0:
			refused = append(refused, w) // texts deleted since are gone: any revision of the window may be the one
		default:
			reads[w.answer.AsOf] = append(reads[w.answer.AsOf], w)
		}
	}
	slices.SortStableFunc(refused, func(a, b *witnessed) int { return cmp.Compare(a.low, b.low) })

	m := newModel()
	var waiting []*witnessed // refused calls whose window is open
	requests := map[string]*stet.Commit{}
	step := func() {
		for _, w := range reads[m.revision] {
			if _, want := m.do(w.call); w.answer.differs(&want, w.call, true) != "" {
				wrong(w, "at revision %d %s", m.revision, w.answer.differs(&want, w.call, true))
			}
		}
		for len(refused) > 0 && refused[0].low <= m.revision {
			waiting, refused = append(waiting, refused[0]), refused[1:]
		}
		waiting = slices.DeleteFunc(waiting, func(w *witnessed) bool {
			if again(byID, w) {
				return true
			}
			_, want := m.do(w.call)
			if w.answer.differs(&want, w.call, true) == "" {
				return true
			}
			if w.high <= m.revision {
				wrong(w, "at no revision from %d to %d is that right; at the last %s", w.low, w.high, w.answer.differs(&want, w.call, true))
				return true
			}
			return false
		})
	}
	step()
	for i := range log {
		ch := &log[i]
		if ch.Revision != m.revision+1 {
			return append(errs, fmt.Errorf("the log has revision %d after %d", ch.Revision, m.revision))
		}
		if requests[ch.ID] != nil {
			return append(errs, fmt.Errorf("commit %s is in the log again, at revision %d", ch.ID, ch.Revision))
		}
		asked := commits[ch.ID]
		if asked == nil {
			return append(errs, fmt.Errorf("commit %s is in the log, at revision %d, and was acknowledged to nobody", ch.ID, ch.Revision))
		}
		// One id may have come with several commits; the log tells whose it was.
		slices.SortStableFunc(asked, func(a, b *witnessed) int { return cmp.Compare(a.answer.Code, b.answer.Code) })
		c := *asked[0].call.Commit
		c.Message = ch.Message
		c.ID = ch.ID
		requests[ch.ID] = &c
		next, want, results := m.doCommit(&c)
		if want.Code != "" {
			return append(errs, fmt.Errorf("%s\n\tis in the log at revision %d, and should have been refused as %s there", toJSON(c), ch.Revision, want.Code))
		}
		if told := logLines(ch); !slices.Equal(told, want.Lines) {
			return append(errs, fmt.Errorf("%s\n\tis in the log at revision %d with\n\t%s\n\tand should be with\n\t%s", toJSON(c), ch.Revision, told, want.Lines))
		}
		for _, w := range asked {
			a := w.answer
			if a.Code != "" {
				continue
			}
			if a.Revision != 0 && a.Revision != ch.Revision {
				wrong(w, "it is in the log at revision %d, and revision %d was told", ch.Revision, a.Revision)
			}
			told := want.Lines
			if w.call.Kind != "commit" {
				told = []string{results[0].alone(w.call.Kind)}
			}
			if !slices.Equal(a.Lines, told) {
				wrong(w, "the log has %s, and %s was told", told, a.Lines)
			}
			if !a.Replayed && a.Revision != 0 && (ch.Revision <= w.low && w.call.Commit.ID == "" || ch.Revision > w.high) {
				wrong(w, "it is at revision %d, and the call lasted from %d to %d", ch.Revision, w.low, w.high)
			}
		}
		delete(commits, ch.ID)
		m = next
		step()
	}
	for id, ws := range commits {
		for _, w := range ws {
			if w.answer.Code == "" {
				errs = append(errs, fmt.Errorf("commit %s was acknowledged (revision %d) and is not in the log: %s", id, w.answer.Revision, w.call))
			}
		}
	}
	for _, w := range waiting {
		wrong(w, "at no revision from %d on is that right", w.low)
	}
	for at, ws := range reads {
		if at > m.revision {
			wrong(ws[0], "the log ends at %d", m.revision)
		}
	}
	if len(errs) > 5 {
		errs = append(errs[:5], errors.New("and more"))
	}
	return errs
}

// again reports whether a commit was refused because of another with its id, that was
// refused before: the log does not show that.
func again(byID map[string][]*witnessed, w *witnessed) bool {
	if w.call.Commit == nil || w.answer.Code == "" {
		return false
	}
	for _, o := range byID[w.call.Commit.ID] {
		if o == w {
			return false // it was the first
		}
		same := toJSON(o.call.Commit) == toJSON(w.call.Commit)
		if same && o.answer.Code == w.answer.Code && o.answer.Op == w.answer.Op || !same && w.answer.Code == string(stet.CodeConflict) && w.answer.Op < 0 {
			return true
		}
	}
	return false
}

// logLines tells what the log has of a commit as its results do.
func logLines(ch *stet.Change) []string {
	var lines []string
	for i := range ch.Ops {
		o := &ch.Ops[i]
		r := stet.Result{PromptID: o.PromptID(), Labels: o.Labels()}
		if s := o.Save; s != nil {
			r.Version, r.Ordinal, r.Digest, r.Unchanged, r.Bump = s.Version, s.Ordinal, s.Digest, s.Unchanged, s.Bump
		} else if d := o.Delete; d != nil {
			r.Version, r.Deleted = d.Version, d.Deleted
		}
		lines = append(lines, resultLine(o.Kind(), &r))
	}
	return lines
}
