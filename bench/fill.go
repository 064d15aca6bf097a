package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/load"
	"github.com/stet-dev/stet/bench/report"
)

// contentFlags adds the flags that say what made-up stores are like.
func contentFlags(f *flag.FlagSet) *load.Fill {
	c := new(load.Fill)
	f.IntVar(&c.Size, "size", 1024, "how many `BYTES` each text has")
	f.IntVar(&c.Batch, "batch", 500, "how `MANY` saves a commit has: 1 makes a log as people write it")
	f.Uint64Var(&c.Seed, "seed", 1, "which texts: the same for the same `SEED`")
	return c
}

func defineFill(f *flag.FlagSet) func(context.Context, console, []string) error {
	store := f.String("store", "sqlite:stet.db", "the store, which must be empty")
	content := contentFlags(f)
	f.IntVar(&content.Versions, "versions", 1_000_000, "how `MANY` versions the prompts have together")
	f.IntVar(&content.Prompts, "prompts", 50_000, "how `MANY` prompts")
	f.IntVar(&content.Long, "long", 100_000, "how `MANY` versions one more prompt has")
	return func(ctx context.Context, c console, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		content.Workers = fillers(content.Batch)
		if err := content.Check(); err != nil {
			return err
		}
		return withStore(ctx, *store, func(s *stet.Store) error {
			took, err := c.fill(ctx, s, content)
			if err != nil {
				return err
			}
			live := load.LiveHeap()
			runtime.KeepAlive(s)
			_, err = fmt.Fprintf(c.out, "%s of %s and one with %d, %s of text, in %.1f s: %.0f a second; %s of live heap\n",
				report.Count(content.Versions, "version"), report.Count(content.Prompts, "prompt"), content.Long,
				report.Format(float64(content.Total()*content.Size), report.Bytes),
				took.Seconds(), float64(content.Total())/took.Seconds(), report.Format(float64(live), report.Bytes))
			return err
		})
	}
}

// fillers is how many goroutines commit at once, so that the writer always finds the
// next commit waiting.
func fillers(batch int) int {
	if batch == 1 {
		return 256
	}
	return 4
}

// fill fills a store, says how far it is, and returns how long it took.
func (c console) fill(ctx context.Context, s *stet.Store, f *load.Fill) (time.Duration, error) {
	line := c.progress()
	defer line.Clear()
	start := time.Now()
	f.Every = 100 * time.Millisecond
	f.Progress = func(n int) {
		line.Show("filling: %3.0f %%, %.0f versions a second", 100*float64(n)/float64(f.Total()), float64(n)/time.Since(start).Seconds())
	}
	err := f.Into(ctx, s)
	return time.Since(start), err
}
