package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/load"
	"github.com/stet-dev/stet/internal/scale"
	"github.com/stet-dev/stet/internal/term"
)

type benchRunCmd struct {
	Duration   time.Duration `default:"10m" placeholder:"T" help:"How long (${default})."`
	Operations int64         `placeholder:"N" help:"How many operations, instead of how long."`
	Rate       float64       `default:"20000" placeholder:"N" help:"How many operations a second at most; 0 for as many as go (${default})."`
	Workers    int           `default:"64" placeholder:"N" help:"How many callers at once (${default})."`
	Prompts    int           `default:"10000" placeholder:"N" help:"Over how many prompts (${default})."`
	Zipf       float64       `default:"1.1" placeholder:"S" help:"How uneven they are asked for: the i-th in proportion to 1/i^S (${default})."`
	Size       int           `default:"1024" placeholder:"BYTES" help:"How long each text is (${default})."`
	Seed       uint64        `default:"1" placeholder:"N" help:"Which operations (${default})."`
}

func (*benchRunCmd) Help() string {
	return `Examples:

    stet bench run --store sqlite:soak.db
    stet bench run --store sqlite:soak.db --operations 1000000 --workers 8
    stet bench run --store memory: --duration 1m --json

A mixed load: 90 % reads, 8 % saves, 2 % moves of labels and deletes. At the end every
commit that was acknowledged is looked for in the log, and the store is verified; exits
with 1 if anything is wrong or memory has grown. The store must be empty, or one that bench has filled.`
}

// flatBytes is how much live heap a commit may leave behind for memory to count as
// flat. A store remembers each version that ever was, and each commit's id: that is
// no leak. 160 bytes is the target for a version; a label's move is kept with its
// author and message.
const flatBytes = 256

func (c *benchRunCmd) Run(a *app) error {
	if c.Workers < 1 || c.Workers > 10_000 || c.Prompts < 2 || c.Prompts > 899_999 || !(c.Zipf > 1) || c.Size < 128 || c.Size > 1<<20 || c.Operations < 0 || !(c.Rate >= 0) || c.Duration <= 0 {
		return fault.New(fault.Invalid, "a run has 1 to 10,000 workers, 2 to 899,999 prompts, an exponent over 1, texts of 128 bytes to 1 MiB, and an end.")
	}
	m := load.Mix{
		Corpus: load.Corpus{Seed: c.Seed, Size: c.Size}, Prompts: c.Prompts, Workers: c.Workers, Zipf: c.Zipf,
		Operations: c.Operations, Duration: c.Duration, Rate: c.Rate,
	}
	line := a.line()
	m.Every = 500 * time.Millisecond
	m.Progress = func(s load.Standing) {
		line.show(fmt.Sprintf("%3.0f %%  %s  %d operations, %.0f a second, saves within %s (p99)",
			100*s.Part, s.Elapsed.Round(time.Second), s.Operations, s.Rate, scale.Format(s.Save.Seconds(), scale.Seconds)))
	}
	m.Sampled = func(s load.Sample) {
		line.clear()
		a.say(fmt.Sprintf("%3.0f %%  %.0f s  %d operations, %d commits, %s of live heap, %s",
			100*s.Part, s.Seconds, s.Operations, s.Commits, scale.Format(float64(s.Heap), scale.Bytes), plural(s.Goroutines, "goroutine")))
		if s.Part >= 1 {
			a.say("checking the log and the store …")
		}
	}
	return a.write(func(ctx context.Context, s *stet.Store) error {
		out, err := m.Run(ctx, s)
		line.clear()
		if err != nil {
			return err
		}
		return a.ran(out)
	})
}

// ran prints what a run showed.
func (a *app) ran(out *load.Outcome) error {
	if a.flags.JSON {
		if err := a.json(out); err != nil {
			return err
		}
	} else {
		a.ranTable(out)
	}
	if len(out.Problems) > 0 || !flat(out) {
		return errSaid
	}
	return nil
}

func flat(out *load.Outcome) bool { return out.Flat(core.DefaultCacheBytes, flatBytes) }

func (a *app) ranTable(out *load.Outcome) {
	t := term.Table{Out: a.out, Header: []string{"OPERATION", "COUNT", "REFUSED", "P50", "P99", "P99.9", "MAX"}}
	for _, k := range out.Kinds {
		cells := []term.Cell{{Text: k.Kind}, {Text: strconv.FormatUint(k.Count, 10)}, {Text: strconv.FormatUint(k.Refused, 10)}}
		for _, d := range []time.Duration{k.P50, k.P99, k.P999, k.Max} {
			cells = append(cells, term.Cell{Text: scale.Format(d.Seconds(), scale.Seconds)})
		}
		t.Row(cells...)
	}
	t.Flush()
	a.println(fmt.Sprintf("%d operations in %.1f s: %.0f a second", out.Operations, out.Seconds, float64(out.Operations)/out.Seconds))
	from, to, each := out.Growth()
	verdict := a.out.Paint(term.Green, "flat")
	if !flat(out) {
		verdict = a.out.Paint(term.BoldRed, "GROWING")
	}
	a.println(fmt.Sprintf("memory %s: live heap %s at %.0f %% and %s at the end, %.0f bytes for each of the %d commits between",
		verdict, scale.Format(float64(from.Heap), scale.Bytes), 100*from.Part, scale.Format(float64(to.Heap), scale.Bytes), each, to.Commits-from.Commits))
	for _, p := range out.Problems {
		a.println(a.out.Paint(term.Red, "problem:") + " " + term.Line(p))
	}
	verdict = a.out.Paint(term.Green, "sound:")
	if len(out.Problems) > 0 {
		verdict = a.out.Paint(term.BoldRed, "damaged:")
	}
	a.println(fmt.Sprintf("%s %d acknowledged commits looked for in the log; %s of %s verified", verdict,
		out.Acknowledged, plural(out.Versions, "version"), plural(out.Prompts, "prompt")))
}
