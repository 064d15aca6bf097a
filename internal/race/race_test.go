package race

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stet-dev/stet/memory"
)

// TestSchedule gives two callers the schedule in which both have done their first
// step before either does its second, and counts what becomes of their saves.
func TestSchedule(t *testing.T) {
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	nothing := func() {}
	for _, c := range []struct {
		rule      string
		contender contender
		workers   int
		want      Result
	}{
		{"the original gives both one number, and loses a text", callers{newDict(meet()), nothing}, 2, Result{Saved: 2, Lost: 1, Doubled: 1}},
		{"the original keeps what one caller saves", callers{newDict(nothing), nothing}, 1, Result{Saved: 2}},
		{"the lock loses nothing, and one caller is refused", callers{newLocked(), meet()}, 2, Result{Saved: 2, Refused: 1}},
		{"stet loses nothing, and nobody is refused", candidate{store}, 2, Result{Saved: 2}},
	} {
		l := &lane{contender: c.contender, opts: Options{Workers: c.workers, Saves: 2, Prompts: 1}}
		l.run(t.Context())
		got := l.audit("")
		got.Seconds = 0
		if l.err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.rule, got, l.err, c.want)
		}
	}
}

// meet returns a pause in which the first two callers wait for each other.
func meet() func() {
	var calls atomic.Int64
	both := make(chan struct{})
	return func() {
		if calls.Add(1) == 2 {
			close(both)
		}
		<-both
	}
}

// TestRun lets all three run, one after the other.
func TestRun(t *testing.T) {
	const saves = 2000
	at := 0
	results, err := Run(t.Context(), Options{Workers: 16, Saves: saves, Every: time.Millisecond, Progress: func(standing []Result, running int) {
		if len(standing) != 3 || running < at || running > at+1 {
			t.Errorf("after %d runs %d: %+v", at, running, standing)
		}
		at = running
		for i, r := range standing {
			if i < running && r.Saved != saves || i > running && r.Saved+r.Refused != 0 {
				t.Errorf("%s has %+v while %s runs", r.Store, r, standing[running].Store)
			}
		}
	}})
	if err != nil || at != Stet {
		t.Fatal(at, err)
	}
	for i, r := range results {
		if r.Store != names[i] || r.Saved != saves || r.Seconds <= 0 {
			t.Errorf("%+v", r)
		}
	}
	if l := results[Locked]; l.Lost+l.Doubled > 0 {
		t.Errorf("the lock lost something: %+v", l)
	}
	if s := results[Stet]; s.Lost+s.Doubled+s.Refused > 0 {
		t.Errorf("stet: %+v", s)
	}
}

// TestBounds shows that the time is for each store, and that a race can be stopped.
func TestBounds(t *testing.T) {
	results, err := Run(t.Context(), Options{Workers: 4, Saves: math.MaxInt, Duration: time.Nanosecond})
	if err != nil || len(results) != 3 {
		t.Errorf("%+v, %v", results, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	started := 0
	_, err = run(ctx, Options{Workers: 1, Saves: math.MaxInt, Prompts: 1, Progress: func([]Result, int) { started++ }}, []contender{
		stopping{cancel}, callers{newLocked(), runtime.Gosched},
	})
	if !errors.Is(err, context.Canceled) || started != 2 { // when the first begins, and when it has ended
		t.Errorf("%v, after %d calls", err, started)
	}
}

// stopping is a store that stops the race at its first save.
type stopping struct{ stop func() }

func (s stopping) save(string, string) (string, int, error) { s.stop(); return "1", 0, nil }
func (s stopping) get(string, string) (string, bool)        { return "", true }
