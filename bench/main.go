// Command bench measures stet beside its peers, in the same run, and prints one
// table of ratios.
//
// Absolute figures change from machine to machine, and on a shared machine from
// minute to minute; ratios hold longer. So each row has two sides, stet's and a
// peer's, that are run in turn, A B A B, over several rounds. The ratio is that of
// the two medians; beside it stand the least and the greatest ratio of one round.
//
//	go run .                       # everything, about three minutes
//	go run . -short                # a glance: short laps, few rounds
//	go run . -run 'SQLite|Python'  # some rows
//	go run . -markdown ratios.md   # the table as Markdown as well
//	go run . -http                 # the service: other rows
//
// It exits with 0 whatever the verdicts are: a missed target is a finding, not a
// failure. 1 means that something could not be measured, 2 that the command line
// was wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// The lap of a row in memory: long enough for some garbage collections, short
// enough that a neighbour on the machine disturbs both sides of a round alike.
const (
	fullLap  = 200 * time.Millisecond
	shortLap = 40 * time.Millisecond
)

// The rounds by default. Odd, so that the median is a lap that happened.
const (
	fullRounds  = 5
	shortRounds = 3
)

func main() {
	if os.Getenv(serverEnv) != "" {
		signal.Ignore(os.Interrupt) // it is for the process that drives the server, whose end is this one's
		if err := beServer(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %v\n", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings passed in; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	pattern := flags.String("run", "", "measure only the rows whose name or peer matches this `REGEXP`")
	list := flags.Bool("list", false, "print the rows and their targets without measuring")
	service := flags.Bool("http", false, "measure the service: the server, its streams and its client")
	profiles := flags.String("profiles", "", "with -http: write profiles of the processor time of the servers and of this process into this `DIRECTORY`, which exists")
	short := flags.Bool("short", false, "short laps and few rounds: a glance, not a result")
	rounds := flags.Int("rounds", 0, "the number of rounds (default 5, or 3 with -short)")
	dir := flags.String("dir", "", "where data files go, on a real disk: many systems keep /tmp in memory (default a temporary directory, removed at the end)")
	markdown := flags.String("markdown", "", "write the table as Markdown to this `FILE` as well")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	only, err := regexp.Compile(*pattern)
	if err != nil || flags.NArg() > 0 || *rounds < 0 {
		fmt.Fprintln(stderr, "bench: -run takes a regular expression, -rounds a positive number, and there are no arguments")
		return 2
	}

	all := measures
	if *service {
		all = overHTTP
	}
	rows := slices.DeleteFunc(all(), func(m measure) bool { return !only.MatchString(m.name + " " + m.peer) })
	if len(rows) == 0 {
		fmt.Fprintf(stderr, "bench: no row matches %q\n", *pattern)
		return 2
	}
	if *list {
		for _, m := range rows {
			fmt.Fprintf(stdout, "%s: %s × %s\n", m.name, m.goal(), m.peer)
		}
		return 0
	}

	p := plan{rounds: fullRounds, lap: fullLap, dir: *dir, profiles: *profiles}
	if *short {
		p.rounds, p.lap = shortRounds, shortLap
	}
	if *rounds > 0 {
		p.rounds = *rounds
	}
	if p.profiles != "" {
		stop, err := profile(filepath.Join(p.profiles, "generator.pprof"))
		if err != nil {
			fmt.Fprintf(stderr, "bench: %v\n", err)
			return 1
		}
		defer stop()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	results, err := measureAll(ctx, p, rows, newProgress(os.Stderr))

	// What was measured before a failure is still worth showing.
	t := table{plan: p, results: results}
	if len(results) > 0 {
		t.write(stdout)
	}
	if *markdown != "" && err == nil {
		err = os.WriteFile(*markdown, []byte(t.markdown()), 0o644)
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}

// measures returns the rows without -http, in the table's order.
func measures() []measure {
	return slices.Concat(memoryGets(), memorySaves(), python(), sqlites(), besides())
}

// measureAll measures the rows one after another. It stops at the first failure
// and returns what it has until then.
func measureAll(ctx context.Context, p plan, rows []measure, show *progress) ([]result, error) {
	defer show.clear()
	if p.dir == "" {
		dir, err := os.MkdirTemp("", "stet-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		p.dir = dir
	} else if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return nil, err
	}
	var results []result
	for i, m := range rows {
		r, err := m.run(ctx, p, func(round int) {
			show.line("[%d/%d] %s: round %d of %d", i+1, len(rows), m.name, round, p.rounds)
		})
		if err != nil {
			return results, fmt.Errorf("%s: %w", m.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}
