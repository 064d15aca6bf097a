package drivertest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A Way is a way to run a store, such as its options. The answers must not depend on it.
type Way struct {
	Name string
	// OpenLog returns a new, empty log.
	OpenLog func(ctx context.Context) (driver.Log, error)
	// Reopen, if not nil, closes the log and opens its data again, which is done
	// at random points.
	Reopen func(ctx context.Context, log driver.Log) (driver.Log, error)
	// Another, if not nil, opens one more handle on the log: calls are made of
	// the two in turn.
	Another func(ctx context.Context, log driver.Log) (driver.Log, error)
	// Options are how the store is opened, but for the clock and the ids, which
	// are the same for all.
	Options core.Options
	// Procs is GOMAXPROCS while a call is made, if not 0.
	Procs int
}

// TestMetamorphic makes the same random calls on stores that are run in different ways. It
// compares every answer, and the hash of the log after every call, with those of the first
// way. It shrinks a failing sequence of calls and prints its seed.
func TestMetamorphic(t *testing.T, ways []Way) {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.checks": fmt.Sprint(rounds(25)), "rapid.steps": "60"} {
		if f := flag.Lookup(name); f.Value.String() != f.DefValue {
			continue // the caller's
		}
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	count := map[string]int{}
	rapid.Check(t, func(t *rapid.T) { metamorphic(context.Background(), t, ways, count) })
	for _, kind := range []string{"calls", "commits", "refused", "reopened"} {
		t.Logf("| %7d %s", count[kind], kind)
	}
}

// A runner is a store that is run in one way.
type runner struct {
	*Way
	log    driver.Log
	stores []*stet.Store
	turn   int
	pages  map[string]string // cursors by the kind of list
}

// A scene is what all ways have in common.
type scene struct {
	now  time.Time
	call int
}

func (s *scene) options(o core.Options) core.Options {
	o.Now = func() time.Time { return s.now }
	o.NewID = func() string { return fmt.Sprint("made-", s.call) }
	return o
}

func metamorphic(ctx context.Context, t *rapid.T, ways []Way, count map[string]int) {
	s := &scene{now: dawn}
	runners := make([]*runner, len(ways))
	for i := range ways {
		r := &runner{Way: &ways[i], pages: map[string]string{}}
		runners[i] = r
		log, err := r.OpenLog(ctx)
		if err == nil {
			err = r.open(ctx, s, log)
		}
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		defer r.close()
	}
	n := 0
	g := &generator{
		pick: func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "") },
		ids:  func() string { n++; return fmt.Sprintf("id-%d", n) },
		bad:  5, author: "ana",
		sure: true, // a store that was reopened does not know what it has refused
	}
	g.prompts = worldPrompts[:1+g.pick(len(worldPrompts))]
	lists := map[string]Call{} // that go on
	revision := uint64(0)
	call := func(c *Call) {
		s.call++
		s.now = s.now.Add(time.Second)
		count["calls"]++
		t.Log(c)
		var first Answer
		var hash stet.Hash
		for i, r := range runners {
			got := r.do(ctx, *c)
			tail, err := r.log.Barrier(ctx) // a store on a shared log may be behind it
			at, h := tail.Revision, stet.Hash(tail.Hash)
			switch {
			case err != nil:
				t.Fatalf("%s: %v", r.Name, err)
			case i == 0:
				first, revision, hash = got, at, h
			case at != revision || h != hash:
				t.Fatalf("%s: the log ends at revision %d, hash %s; as %s it ends at %d, hash %s", r.Name, at, h, runners[0].Name, revision, hash)
			default:
				if d := apart(&got, &first); d != "" {
					t.Fatalf("%s: %s, as %s", r.Name, d, runners[0].Name)
				}
			}
		}
		if first.Code != "" {
			count["refused"]++
		} else if c.Commit != nil {
			count["commits"]++
		}
		g.note(c, &first)
		if first.More {
			lists[c.Kind] = *c
		} else {
			delete(lists, c.Kind)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"write": func(*rapid.T) { call(g.write()) },
		"read":  func(*rapid.T) { g.past = revision; call(g.read()) },
		"again": func(t *rapid.T) {
			c, ok := lists[oneOf(g, []string{"list", "prompts", "history"})]
			if !ok {
				t.Skip()
			}
			c.Cursor = "of each store its own"
			call(&c)
		},
		"reopen": func(t *rapid.T) {
			for _, r := range runners {
				if r.Reopen == nil || g.chance(50) {
					continue
				}
				count["reopened"]++
				t.Log("reopen", r.Name)
				if err := r.reopen(ctx, s); err != nil {
					t.Fatalf("%s: %v", r.Name, err)
				}
			}
		},
		"": func(*rapid.T) {},
	})
	for _, r := range runners {
		rep, err := r.stores[0].Verify(ctx, stet.VerifyOptions{})
		if err != nil || len(rep.Problems) > 0 {
			t.Fatalf("%s: Verify: %v %s", r.Name, err, rep.Problems)
		}
	}
}

func (r *runner) open(ctx context.Context, s *scene, log driver.Log) error {
	o := s.options(r.Options)
	store, err := core.Open(ctx, log, &o)
	if err != nil {
		return err
	}
	r.log, r.stores = log, []*stet.Store{store}
	if r.Another == nil {
		return nil
	}
	other, err := r.Another(ctx, log)
	if err == nil {
		store, err = core.Open(ctx, other, &o)
	}
	if err == nil {
		r.stores = append(r.stores, store)
	}
	return err
}

func (r *runner) close() error {
	var err error
	for _, s := range r.stores {
		err = cmp.Or(err, s.Close())
	}
	r.stores = nil
	return err
}

func (r *runner) reopen(ctx context.Context, s *scene) error {
	if err := r.close(); err != nil {
		return err
	}
	log, err := r.Reopen(ctx, r.log)
	if err != nil {
		return err
	}
	return r.open(ctx, s, log)
}

// do makes a call of the store whose turn it is.
func (r *runner) do(ctx context.Context, c Call) Answer {
	if r.Procs > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(r.Procs))
	}
	if c.Cursor != "" {
		c.Cursor = r.pages[c.Kind]
	}
	r.turn++
	a := DoerOf(r.stores[r.turn%len(r.stores)]).Do(ctx, &c)
	r.pages[c.Kind] = a.Next
	return a
}

// apart says how two answers differ in anything but their cursors, which have the
// store's id in them.
func apart(a, b *Answer) string {
	switch {
	case a.Code != b.Code || a.Op != b.Op || a.Message != b.Message:
		return fmt.Sprintf("the error is %q of operation %d: %s; and %q of operation %d: %s", a.Code, a.Op, a.Message, b.Code, b.Op, b.Message)
	case !slices.Equal(a.Lines, b.Lines) || !slices.Equal(a.Revs, b.Revs):
		return fmt.Sprintf("the answer is\n\t%s %d\nand\n\t%s %d", strings.Join(a.Lines, "\n\t"), a.Revs, strings.Join(b.Lines, "\n\t"), b.Revs)
	case a.Revision != b.Revision || a.AsOf != b.AsOf || a.Replayed != b.Replayed || a.More != b.More || a.ID != b.ID:
		return fmt.Sprintf("the answer is at revision %d as of %d, replayed %t, more %t, id %q; and at %d as of %d, %t, %t, %q",
			a.Revision, a.AsOf, a.Replayed, a.More, a.ID, b.Revision, b.AsOf, b.Replayed, b.More, b.ID)
	}
	return ""
}
