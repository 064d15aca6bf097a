package main

import (
	"context"
	"flag"
	"os"
	"regexp"

	"github.com/stet-dev/stet/bench/peers"
)

// peerFlags adds the flags that say what is measured beside the peers.
func peerFlags(f *flag.FlagSet) *peers.Options {
	o := new(peers.Options)
	f.BoolVar(&o.HTTP, "http", false, "measure the service: the server, its streams and its client")
	f.BoolVar(&o.Short, "short", false, "short laps and few rounds: a glance, not a result")
	f.IntVar(&o.Rounds, "rounds", 0, "the `NUMBER` of rounds (default 5, or 3 with -short)")
	f.StringVar(&o.Dir, "dir", "", "where data files go, on a real disk: many systems keep /tmp in memory (default a temporary `DIRECTORY`, removed at the end)")
	f.Func("run", "measure only the rows whose name or peer matches this `REGEXP`", func(s string) (err error) {
		o.Only, err = regexp.Compile(s)
		return err
	})
	return o
}

func definePeers(f *flag.FlagSet) func(context.Context, console, []string) error {
	o := peerFlags(f)
	list := f.Bool("list", false, "print the rows and their targets without measuring")
	markdown := f.String("markdown", "", "write the table as Markdown to this `FILE` as well")
	f.StringVar(&o.Profiles, "profiles", "", "with -http: write profiles of the processor time of the servers and of this process into this `DIRECTORY`, which exists")
	return func(ctx context.Context, c console, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		if o.Rounds < 0 {
			return usage("%d rounds cannot be.", o.Rounds)
		}
		if *list {
			return peers.List(c.out, *o)
		}
		o.Progress = c.progress().Show
		t, err := peers.Run(ctx, *o)
		c.progress().Clear()
		t.Write(c.out)
		if err == nil && *markdown != "" {
			err = os.WriteFile(*markdown, []byte(t.Markdown()), 0o644)
		}
		return err
	}
}
