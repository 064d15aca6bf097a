package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/load"
	"github.com/stet-dev/stet/internal/scale"
	"github.com/stet-dev/stet/open"
)

// A benchCmd measures stet under load. Its verbs write to stores that are empty or
// that they made themselves, and to no other.
type benchCmd struct {
	Fill    benchFillCmd    `cmd:"" help:"Fill a store with made-up prompts."`
	Measure benchMeasureCmd `cmd:"" help:"Measure a store that was filled."`
	Run     benchRunCmd     `cmd:"" help:"Put a mixed load on a store for as long as you like, and check it."`
	Scale   benchScaleCmd   `cmd:"" help:"Fill and measure stores of several sizes, and draw how the figures grow."`
}

type benchFillCmd struct {
	Versions int    `default:"1000000" placeholder:"N" help:"How many versions the prompts have together (${default})."`
	Prompts  int    `default:"50000" placeholder:"N" help:"How many prompts (${default})."`
	Long     int    `default:"100000" placeholder:"N" help:"How many versions one more prompt has (${default})."`
	Size     int    `default:"1024" placeholder:"BYTES" help:"How long each text is (${default})."`
	Seed     uint64 `default:"1" placeholder:"N" help:"Which texts: the same for the same seed (${default})."`
	Batch    int    `default:"500" placeholder:"N" help:"How many saves a commit has: 1 makes a log as people write it (${default})."`
	Workers  int    `placeholder:"N" help:"How many commit at once (4, or 256 where a commit has one save)."`
}

func (*benchFillCmd) Help() string {
	return `Examples:

    stet bench fill --store sqlite:big.db
    stet bench fill --store sqlite:small.db --versions 10000 --prompts 500 --long 1000 --batch 1

The store must be empty.`
}

func (c *benchFillCmd) fill() *load.Fill {
	f := &load.Fill{
		Corpus:   load.Corpus{Seed: c.Seed, Size: c.Size},
		Versions: c.Versions, Prompts: c.Prompts, Long: c.Long, Batch: c.Batch, Workers: c.Workers,
	}
	if f.Workers == 0 {
		f.Workers = 4 // so that the writer always finds the next commit waiting
		if f.Batch == 1 {
			f.Workers = 256
		}
	}
	return f
}

func (c *benchFillCmd) Run(a *app) error {
	f := c.fill()
	if err := f.Check(); err != nil {
		return err
	}
	return a.write(func(ctx context.Context, s *stet.Store) error {
		took, err := a.fill(ctx, s, f)
		if err != nil {
			return err
		}
		live := load.LiveHeap()
		runtime.KeepAlive(s)
		if a.flags.JSON {
			return a.json(map[string]any{
				"prompts": f.Prompts, "versions": f.Total(), "bytes": f.Total() * f.Size, "seconds": took.Seconds(), "heap": live,
			})
		}
		return a.println(fmt.Sprintf("%s of %s and one with %d, %s of text, in %.1f s: %.0f a second; %s of live heap",
			plural(f.Versions, "version"), plural(f.Prompts, "prompt"), f.Long, scale.Format(float64(f.Total()*f.Size), scale.Bytes),
			took.Seconds(), float64(f.Total())/took.Seconds(), scale.Format(float64(live), scale.Bytes)))
	})
}

// fill fills a store, with a progress bar, and tells how long it took.
func (a *app) fill(ctx context.Context, s *stet.Store, f *load.Fill) (time.Duration, error) {
	bar := a.bar(int64(f.Total()), "filling", progressbar.OptionShowIts(), progressbar.OptionSetItsString("versions"))
	f.Progress, f.Every = func(n int) { bar.set(int64(n)) }, 100*time.Millisecond
	start := time.Now()
	err := f.Into(ctx, s)
	bar.done()
	return time.Since(start), err
}

// openStore opens a store that is to be measured: a file itself, and not through a
// server that has it open.
func (a *app) openStore(ctx context.Context, address string) (*stet.Store, error) {
	return open.Store(ctx, address, open.Options{Wait: lockWait, Waiting: a.waiting, Client: a.client()})
}
