package drivertest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
)

// modelCase drives a store in lockstep with the model: random operations, good
// and bad, reads of the present and of the past, pages that go on after others
// have committed, and, where the data survives it, closing and opening again.
// rapid shrinks what fails and prints its seed: -rapid.seed repeats it, -rapid.checks
// and -rapid.steps say how much is tried.
func modelCase() Case {
	return Case{
		Name: "model/lockstep",
		Rule: "After any sequence of operations every answer and every error code is the naive model's.",
		Run: func(ctx context.Context, h *Harness) error {
			if err := flag.Set("rapid.nofailfile", "true"); err != nil {
				return err // files by the name of a test would be found by those of other engines
			}
			enough := budget(5 * time.Second)
			for n := rounds(4); n > 0 && !enough(); n-- { // of rapid's 100 checks each
				tb := &errorTB{}
				func() {
					defer tb.recover()
					rapid.Check(tb, func(t *rapid.T) { lockstep(ctx, t, h) })
				}()
				if tb.failed {
					return tb.err()
				}
			}
			return nil
		},
	}
}

func lockstep(ctx context.Context, t *rapid.T, h *Harness) {
	var clock clock
	o := h.Options
	o.Now = clock.now
	s, log, err := h.openStore(ctx, o)
	if err != nil {
		t.Fatalf("the store cannot be opened: %v", err)
	}
	defer func() { s.Close() }()
	m := newModel()
	when := timetable{}
	n := 0
	g := &generator{
		pick: func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "") },
		ids:  func() string { n++; return fmt.Sprintf("id-%d", n) },
		bad:  10, author: "ana", feed: true,
	}
	g.prompts = worldPrompts[:1+g.pick(len(worldPrompts))]
	pages := map[string]Call{} // that go on
	var call func(c *Call)
	call = func(c *Call) {
		for !c.Time.IsZero() && when.end() < m.revision { // not every answer has its commit's time
			call(&Call{Kind: "changes", Since: when.end(), Limit: stet.MaxLimit})
		}
		if h.Unreliable && c.Commit != nil { // so that its outcome can be resolved
			c.Kind, c.Commit.ID = "commit", cmp.Or(c.Commit.ID, g.ids())
		}
		t.Log(c)
		got := DoerOf(s).Do(ctx, c)
		for i := 0; h.Unreliable && i < resends && (got.Code == "unknown" || got.Code == "unavailable"); i++ {
			got = DoerOf(s).Do(ctx, c)
		}
		if err := when.learn(&got); err != nil {
			t.Fatal(err)
		}
		next, want := m.do(&when.resolve(c, m.revision)[0])
		if h.Unreliable {
			want.excuse(&got, c)
		}
		if d := got.differs(&want, c, true); d != "" {
			t.Fatalf("%s %s", d, got.Message)
		}
		if c.Commit == nil && got.Code == "" && got.AsOf != want.AsOf {
			t.Fatalf("the answer is as of %d, and should be as of %d", got.AsOf, want.AsOf)
		}
		m = next
		g.note(c, &got)
		if got.More {
			c.Cursor, c.After = got.Next, want.Last
			pages[c.Kind] = *c
		} else if c.Commit == nil {
			delete(pages, c.Kind)
		}
	}
	actions := map[string]func(*rapid.T){
		"write": func(*rapid.T) { call(g.write()) },
		"read": func(*rapid.T) {
			g.past = m.revision
			c := g.read()
			c.Texts = c.Kind == "changes" && g.chance(50)
			call(c)
		},
		"again": func(t *rapid.T) {
			kind := oneOf(g, []string{"list", "prompts", "history"})
			c, ok := pages[kind]
			if !ok || m.cleared != 0 {
				t.Skip() // the list may not exist any more
			}
			call(&c)
		},
		"": func(t *rapid.T) {
			call(&Call{Kind: "prompts", Limit: 1})
		},
	}
	if h.Reopen != nil && log != nil {
		actions["reopen"] = func(t *rapid.T) {
			if err := s.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			if log, err = h.Reopen(ctx, log); err != nil {
				t.Fatalf("Reopen: %v", err)
			}
			if s, err = core.Open(ctx, log, &o); err != nil {
				t.Fatalf("opening again: %v", err)
			}
			m = m.reopened()
		}
	}
	t.Repeat(actions)
	rep, err := s.Verify(ctx, stet.VerifyOptions{})
	if err != nil || len(rep.Problems) > 0 {
		t.Fatalf("Verify: %v %s", err, rep.Problems)
	}
}

// String tells a call in one line.
func (c *Call) String() string { return fmt.Sprintf("%s %s", c.Kind, toJSON(c)) }

// errorTB collects what rapid reports to a test.
type errorTB struct {
	log    strings.Builder
	failed bool
}

type stopTB struct{}

func (e *errorTB) recover() {
	if p := recover(); p != nil {
		if _, ok := p.(stopTB); !ok {
			panic(p)
		}
	}
}

func (e *errorTB) err() error {
	return fmt.Errorf("%s", strings.TrimSpace(e.log.String()))
}

func (e *errorTB) Helper()         {}
func (e *errorTB) Name() string    { return "TestProof/model" }
func (e *errorTB) Log(args ...any) { fmt.Fprintln(&e.log, args...) }
func (e *errorTB) Logf(f string, a ...any) {
	if strings.HasPrefix(f, "[rapid] draw") {
		return // thousands, which say nothing: the calls are logged
	}
	fmt.Fprintf(&e.log, f+"\n", a...)
}
func (e *errorTB) Error(args ...any)         { e.Log(args...); e.Fail() }
func (e *errorTB) Errorf(f string, a ...any) { e.Logf(f, a...); e.Fail() }
func (e *errorTB) Fatal(args ...any)         { e.Log(args...); e.FailNow() }
func (e *errorTB) Fatalf(f string, a ...any) { e.Logf(f, a...); e.FailNow() }
func (e *errorTB) Skip(args ...any)          { panic(stopTB{}) }
func (e *errorTB) Skipf(string, ...any)      { panic(stopTB{}) }
func (e *errorTB) SkipNow()                  { panic(stopTB{}) }
func (e *errorTB) Fail()                     { e.failed = true }
func (e *errorTB) FailNow()                  { e.failed = true; panic(stopTB{}) }
func (e *errorTB) Failed() bool              { return e.failed }
