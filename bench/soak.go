package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/load"
	"github.com/stet-dev/stet/bench/report"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/internal/term"
)

// defineSoak puts a mixed load on a store: 90 % reads, 8 % saves, 2 % moves of labels
// and deletes. At the end every commit that was acknowledged is looked for in the log,
// and the store is verified.
func defineSoak(f *flag.FlagSet) func(context.Context, console, []string) error {
	store := f.String("store", "sqlite:stet.db", "the store, which must be empty or one that bench has filled")
	asJSON := f.Bool("json", false, "write the outcome as JSON")
	var m load.Mix
	f.DurationVar(&m.Duration, "duration", 10*time.Minute, "how `LONG`")
	f.Int64Var(&m.Operations, "operations", 0, "how `MANY` operations, instead of how long")
	f.Float64Var(&m.Rate, "rate", 20_000, "how `MANY` operations a second at most; 0 for as many as go")
	f.IntVar(&m.Workers, "workers", 64, "how `MANY` callers at once")
	f.IntVar(&m.Prompts, "prompts", 10_000, "over how `MANY` prompts")
	f.Float64Var(&m.Zipf, "zipf", 1.1, "how uneven they are asked for: the i-th in proportion to 1/i^`S`")
	f.IntVar(&m.Size, "size", 1024, "how many `BYTES` each text has")
	f.Uint64Var(&m.Seed, "seed", 1, "which operations")
	return func(ctx context.Context, c console, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		if err := m.Check(); err != nil {
			return err
		}
		m.Every, m.Progress, m.Sampled = 500*time.Millisecond, c.standing, c.sampled
		return withStore(ctx, *store, func(s *stet.Store) error {
			out, err := m.Run(ctx, s)
			c.progress().Clear()
			if err != nil {
				return err
			}
			if *asJSON {
				if err := json.NewEncoder(c.out).Encode(out); err != nil {
					return err
				}
			} else {
				c.outcome(out)
			}
			if len(out.Problems) > 0 || !flat(out) {
				return errSaid
			}
			return nil
		})
	}
}

func (c console) standing(s load.Standing) {
	c.progress().Show("%3.0f %%  %s  %d operations, %.0f a second, saves within %s (p99)",
		100*s.Part, s.Elapsed.Round(time.Second), s.Operations, s.Rate, report.Format(s.Save.Seconds(), report.Seconds))
}

func (c console) sampled(s load.Sample) {
	c.say("%3.0f %%  %.0f s  %d operations, %d commits, %s of live heap, %s",
		100*s.Part, s.Seconds, s.Operations, s.Commits, report.Format(float64(s.Heap), report.Bytes), report.Count(s.Goroutines, "goroutine"))
	if s.Part >= 1 {
		c.say("checking the log and the store …")
	}
}

// flatBytes is how much live heap a commit may leave behind for memory to count as
// flat. A store remembers each version that ever was, and each commit's id: that is
// no leak. 160 bytes is the target for a version; a label's move is kept with its
// author and message.
const flatBytes = 256

func flat(out *load.Outcome) bool { return out.Flat(core.DefaultCacheBytes, flatBytes) }

// outcome writes what a run showed.
func (c console) outcome(out *load.Outcome) {
	t := term.Table{Out: c.out, Header: []string{"OPERATION", "COUNT", "REFUSED", "P50", "P99", "P99.9", "MAX"}}
	for _, k := range out.Kinds {
		cells := []term.Cell{{Text: k.Kind}, {Text: strconv.FormatUint(k.Count, 10)}, {Text: strconv.FormatUint(k.Refused, 10)}}
		for _, d := range []time.Duration{k.P50, k.P99, k.P999, k.Max} {
			cells = append(cells, term.Cell{Text: report.Format(d.Seconds(), report.Seconds)})
		}
		t.Row(cells...)
	}
	t.Flush()
	fmt.Fprintf(c.out, "%d operations in %.1f s: %.0f a second\n", out.Operations, out.Seconds, float64(out.Operations)/out.Seconds)
	from, to, each := out.Growth()
	verdict := c.out.Paint(term.Green, "flat")
	if !flat(out) {
		verdict = c.out.Paint(term.BoldRed, "GROWING")
	}
	fmt.Fprintf(c.out, "memory %s: live heap %s at %.0f %% and %s at the end, %.0f bytes for each of the %d commits between\n",
		verdict, report.Format(float64(from.Heap), report.Bytes), 100*from.Part,
		report.Format(float64(to.Heap), report.Bytes), each, to.Commits-from.Commits)
	for _, p := range out.Problems {
		fmt.Fprintf(c.out, "%s %s\n", c.out.Paint(term.Red, "problem:"), term.Line(p))
	}
	verdict = c.out.Paint(term.Green, "sound:")
	if len(out.Problems) > 0 {
		verdict = c.out.Paint(term.BoldRed, "damaged:")
	}
	fmt.Fprintf(c.out, "%s %d acknowledged commits looked for in the log; %s of %s verified\n", verdict,
		out.Acknowledged, report.Count(out.Versions, "version"), report.Count(out.Prompts, "prompt"))
}
