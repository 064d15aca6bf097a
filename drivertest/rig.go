package drivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A rig is what a store case works with: a new, empty store, and calls that
// note what is wrong or, where the case cannot go on, end it.
//
// Calls that cannot fail in a correct store end the case when they do; they are
// for the goroutine that runs the case. Others return errors and are for any.
type rig struct {
	ctx    context.Context
	h      *Harness
	stores []*stet.Store // all on the same data
	log    driver.Log    // of the first store, nil if it has none
	open   []*stet.Store // to be verified and closed at the end
	clock  clock

	turn atomic.Uint64 // which store is next
	ids  atomic.Uint64 // commit ids

	mu   sync.Mutex
	errs []error
}

// clock is the time of a case: each look at it is a second later.
type clock struct{ ticks atomic.Int64 }

var dawn = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (c *clock) now() time.Time { return dawn.Add(time.Duration(c.ticks.Add(1)) * time.Second) }

// ended is what ends a case before its end.
type ended struct{}

// storeCase makes a case of a function over a new, empty store. Afterwards every
// store that was opened is verified.
func storeCase(name, rule string, f func(r *rig)) Case {
	return needing(NeedNothing, name, rule, f)
}

func needing(need Need, name, rule string, f func(r *rig)) Case {
	return Case{Name: name, Rule: rule, Need: need, Run: func(ctx context.Context, h *Harness) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		r := &rig{ctx: ctx, h: h}
		s, log, err := h.openStore(ctx, r.options())
		if err != nil {
			return fmt.Errorf("the store cannot be opened: %w", err)
		}
		r.stores, r.open, r.log = []*stet.Store{s}, []*stet.Store{s}, log
		r.guard(func() {
			for len(r.stores) < h.Handles {
				r.stores = append(r.stores, r.another(log))
			}
			f(r)
		})
		for _, s := range r.open {
			r.verify(s)
			if err := s.Close(); err != nil {
				r.fail("Close: %v", err)
			}
		}
		return errors.Join(r.errs...)
	}}
}

// guard runs f up to where it ends the case.
func (r *rig) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(ended); !ok {
				panic(p)
			}
		}
	}()
	f()
}

func (r *rig) options() stet.Options {
	o := r.h.Options
	o.Now = r.clock.now
	return o
}

// verify checks a store and everything that it holds, unless it is closed.
func (r *rig) verify(s *stet.Store) {
	rep, err := s.Verify(context.WithoutCancel(r.ctx), core.VerifyOptions{})
	if stet.CodeOf(err) == stet.CodeUnavailable {
		return // closed by the case
	}
	if err != nil {
		r.fail("Verify: %v", err)
	}
	for _, p := range rep.Problems {
		r.fail("Verify: %s", p)
	}
}

// another opens one more store on the data of a log.
func (r *rig) another(log driver.Log) *stet.Store {
	l, err := r.h.Another(r.ctx, log)
	r.must(err, "opening another handle")
	return r.newStore(l, r.options())
}

// newStore makes a store of a log.
func (r *rig) newStore(l driver.Log, o stet.Options) *stet.Store {
	s, err := stet.New(r.ctx, l, o)
	r.must(err, "opening a store")
	r.open = append(r.open, s)
	return s
}

// newLog opens one more, empty log.
func (r *rig) newLog() driver.Log {
	l, err := r.h.OpenLog(r.ctx)
	r.must(err, "opening a log")
	return l
}

// other opens one more, empty store.
func (r *rig) other() *stet.Store {
	s, _, err := r.h.openStore(r.ctx, r.options())
	r.must(err, "opening a second store")
	r.open = append(r.open, s)
	return s
}

// over makes the rig's calls go to one store.
func (r *rig) over(s *stet.Store) { r.stores = []*stet.Store{s} }

// s is the store whose turn it is.
func (r *rig) s() *stet.Store {
	return r.stores[(r.turn.Add(1)-1)%uint64(len(r.stores))]
}

func (r *rig) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errs) < 20 {
		r.errs = append(r.errs, fmt.Errorf(format, args...))
	}
}

func (r *rig) must(err error, what string, args ...any) {
	if err != nil {
		r.fail("%s: %v", fmt.Sprintf(what, args...), err)
		panic(ended{})
	}
}

// ok notes a failure unless it holds.
func (r *rig) ok(holds bool, format string, args ...any) {
	if !holds {
		r.fail(format, args...)
	}
}

// same notes a failure unless two things print alike.
func (r *rig) same(what string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		r.fail("%s is %q, and should be %q", what, g, w)
	}
}

// refused notes a failure unless err has the code and its message the words.
func (r *rig) refused(what string, err error, code stet.Code, words ...string) {
	if err == nil {
		r.fail("%s succeeds, and should be refused as %s", what, code)
		return
	}
	if stet.CodeOf(err) != code {
		r.fail("%s fails with %q, and should with the code %s", what, err, code)
		return
	}
	var e *stet.Error
	if !errors.As(err, &e) {
		r.fail("%s fails with a %T, and every error is a *stet.Error", what, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			r.fail("%s is refused with %q, and should say %q", what, e.Message, w)
		}
	}
}

// refusedOp is refused for an operation of a commit.
func (r *rig) refusedOp(what string, err error, op int, code stet.Code, words ...string) {
	r.refused(what, err, code, words...)
	var e *stet.Error
	if errors.As(err, &e) && e.Op != op {
		r.fail("%s blames operation %d, and should blame %d", what, e.Op, op)
	}
}

// id makes a commit id.
func (r *rig) id() string { return fmt.Sprintf("case-%d", r.ids.Add(1)) }

// resends is how often a call is sent again to settle an outcome: the harness's
// engine loses some answers, not all.
const resends = 50

// settle calls f until its outcome is known.
func (r *rig) settle(f func() error) error {
	for i := 0; ; i++ {
		err := f()
		code := stet.CodeOf(err)
		if !r.h.Unreliable || i == resends || code != stet.CodeUnknown && code != stet.CodeUnavailable || r.ctx.Err() != nil {
			return err
		}
	}
}

// tryCommit commits, exactly once, whatever is lost on the way.
func (r *rig) tryCommit(c stet.Commit) (done stet.Done, err error) {
	if c.ID == "" {
		c.ID = r.id()
	}
	err = r.settle(func() error {
		done, err = r.s().Commit(r.ctx, c)
		return err
	})
	return done, err
}

// trySave saves, exactly once. It calls Save, which has no commit id: if its
// outcome is unknown, the error has one to go on with.
func (r *rig) trySave(d stet.Draft) (saved stet.Saved, err error) {
	for i := 0; ; i++ {
		saved, err = r.s().Save(r.ctx, d)
		if !r.h.Unreliable || i == resends || stet.CodeOf(err) != stet.CodeUnavailable {
			break
		}
	}
	var e *stet.Error
	if !r.h.Unreliable || !errors.As(err, &e) || e.Code != stet.CodeUnknown {
		return saved, err
	}
	if e.CommitID == "" {
		return saved, fmt.Errorf("an unknown outcome without a CommitID: %w", err)
	}
	done, err := r.tryCommit(stet.Commit{ID: e.CommitID, Author: d.Author, Message: d.Message, Ops: []stet.Op{{Save: &d}}})
	if err != nil {
		if errors.As(err, &e) {
			e.Op = -1
		}
		return saved, err
	}
	res := done.Results[0]
	v, err := r.s().Get(r.ctx, d.PromptID+"@"+res.Version.String())
	return stet.Saved{Version: v, Unchanged: res.Unchanged, Bump: res.Bump, Reason: res.Reason, CommitID: done.ID}, err
}

func (r *rig) trySetLabel(l stet.SetLabel) (ch stet.LabelChange, err error) {
	by := r.by()
	err = r.settle(func() error { ch, err = r.s().SetLabel(r.ctx, by, l); return err })
	return ch, err
}

func (r *rig) tryRemoveLabel(l stet.RemoveLabel) (ch stet.LabelChange, err error) {
	by := r.by()
	err = r.settle(func() error { ch, err = r.s().RemoveLabel(r.ctx, by, l); return err })
	return ch, err
}

func (r *rig) tryRollback(l stet.Rollback) (ch stet.LabelChange, err error) {
	by := r.by()
	err = r.settle(func() error { ch, err = r.s().Rollback(r.ctx, by, l); return err })
	return ch, err
}

func (r *rig) tryDelete(d stet.Delete) (n int, err error) {
	by := r.by()
	err = r.settle(func() error { n, err = r.s().Delete(r.ctx, by, d); return err })
	return n, err
}

func (r *rig) tryClear() error {
	by := r.by()
	return r.settle(func() error { return r.s().Clear(r.ctx, by) })
}

func (r *rig) tryGet(ref string) (stet.Version, error) { return r.s().Get(r.ctx, ref) }

func (r *rig) by() stet.By {
	return stet.By{Author: "ana", Message: "because", CommitID: r.id()}
}

// The calls that must succeed.

func text(id, s string) stet.Draft { return stet.Draft{PromptID: id, Text: s} }

// numbered is a draft under a number, with a text of its own.
func numbered(id, version string) stet.Draft {
	return stet.Draft{PromptID: id, Version: version, Text: "text of " + version}
}

func (r *rig) save(d stet.Draft) stet.Saved {
	s, err := r.trySave(d)
	r.must(err, "saving %s %s", d.PromptID, d.Version)
	return s
}

// saveAll saves versions under numbers.
func (r *rig) saveAll(id string, versions ...string) {
	for _, v := range versions {
		r.save(numbered(id, v))
	}
}

func (r *rig) commit(ops ...stet.Op) stet.Done {
	d, err := r.tryCommit(stet.Commit{Ops: ops})
	r.must(err, "committing %d operations", len(ops))
	return d
}

func (r *rig) get(ref string) stet.Version {
	v, err := r.tryGet(ref)
	r.must(err, "getting %s", ref)
	return v
}

func (r *rig) head(id string) stet.Head {
	h, err := r.s().Head(r.ctx, id)
	r.must(err, "the head of %s", id)
	return h
}

func (r *rig) label(id, label, version string) stet.LabelChange {
	ch, err := r.trySetLabel(stet.SetLabel{PromptID: id, Label: label, Version: version})
	r.must(err, "setting %s of %s to %s", label, id, version)
	return ch
}

func (r *rig) unlabel(id, label string) stet.LabelChange {
	ch, err := r.tryRemoveLabel(stet.RemoveLabel{PromptID: id, Label: label})
	r.must(err, "removing %s of %s", label, id)
	return ch
}

func (r *rig) rollback(id, label string) stet.LabelChange {
	ch, err := r.tryRollback(stet.Rollback{PromptID: id, Label: label})
	r.must(err, "rolling back %s of %s", label, id)
	return ch
}

func (r *rig) delete(id, version string) int {
	n, err := r.tryDelete(stet.Delete{PromptID: id, Version: version})
	r.must(err, "deleting %s@%s", id, version)
	return n
}

func (r *rig) clear() { r.must(r.tryClear(), "clearing") }

// revision is the newest revision.
func (r *rig) revision() uint64 {
	p, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{Limit: 1})
	r.must(err, "asking for the revision")
	return p.AsOf
}

// numbers is the list of a prompt's numbers, the highest first.
func (r *rig) numbers(id string, o stet.ListOptions) []string {
	var all []string
	for v, err := range r.s().List(r.ctx, id, o) {
		r.must(err, "listing %s", id)
		all = append(all, v.Number().String())
	}
	return all
}

// moves is the history of a label, the newest first, as "FROM>TO".
func (r *rig) moves(id, label string) []string {
	var all []string
	for m, err := range r.s().History(r.ctx, id, label, stet.HistoryOptions{}) {
		r.must(err, "the history of %s of %s", label, id)
		all = append(all, num(m.From)+">"+num(m.To))
	}
	return all
}

// num writes a number, nothing for none.
func num(n stet.Number) string {
	if n.IsZero() {
		return ""
	}
	return n.String()
}

// move writes a change of a label.
func move(l stet.LabelChange) string { return l.Label + ":" + num(l.From) + ">" + num(l.To) }

// state is everything that can be read, to be compared.
func (r *rig) state() string {
	var b strings.Builder
	fmt.Fprintln(&b, "revision", r.revision())
	for h, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{}) {
		r.must(err, "listing prompts")
		h.AsOf = 0
		fmt.Fprintf(&b, "%+v\n", h)
		for v, err := range r.s().List(r.ctx, h.PromptID, stet.ListOptions{}) {
			r.must(err, "listing %s", h.PromptID)
			b.Write(v.AppendJSON(nil))
			b.WriteByte('\n')
		}
		for _, l := range slices.Sorted(keys(h.Labels)) {
			fmt.Fprintln(&b, l, r.moves(h.PromptID, l))
		}
	}
	return b.String()
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// unchanged notes a failure unless f leaves everything as it was.
func (r *rig) unchanged(what string, f func()) {
	before := r.state()
	f()
	if after := r.state(); after != before {
		r.fail("%s changed the store, from\n%s\nto\n%s", what, before, after)
	}
}

// ptr is for Expect.
func ptr(s string) *string { return &s }

// all runs functions at once and waits for them.
func all(fs ...func()) {
	var w sync.WaitGroup
	for _, f := range fs {
		w.Go(f)
	}
	w.Wait()
}

// times runs f(0) … f(n-1) at once and waits for them.
func times(n int, f func(i int)) {
	var w sync.WaitGroup
	for i := range n {
		w.Go(func() { f(i) })
	}
	w.Wait()
}

func op[T stet.Draft | stet.Delete | stet.SetLabel | stet.RemoveLabel | stet.Rollback | stet.Clear](o T) stet.Op {
	switch o := any(o).(type) {
	case stet.Draft:
		return stet.Op{Save: &o}
	case stet.Delete:
		return stet.Op{Delete: &o}
	case stet.SetLabel:
		return stet.Op{SetLabel: &o}
	case stet.RemoveLabel:
		return stet.Op{RemoveLabel: &o}
	case stet.Rollback:
		return stet.Op{Rollback: &o}
	}
	return stet.Op{Clear: &stet.Clear{}}
}
