package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/load"
	"github.com/stet-dev/stet/bench/report"
	"github.com/stet-dev/stet/bench/scale"
	"github.com/stet-dev/stet/internal/term"
)

// sizes is a flag: numbers of versions.
type sizes []int

func (s *sizes) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(*s)), " ", ","), "[]")
}

func (s *sizes) Set(list string) error {
	*s = nil
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		*s = append(*s, n)
	}
	return nil
}

// defineScale fills a store of each size with a twentieth as many prompts, and one
// prompt with a tenth as many versions more, unless it is there already; measures
// each, and holds the largest against the targets of the design. Saves are measured
// in a copy.
func defineScale(f *flag.FlagSet) func(context.Context, console, []string) error {
	versions := sizes{10_000, 100_000, 1_000_000}
	content := contentFlags(f)
	f.Var(&versions, "versions", "how large the stores are: `N,…`")
	dir := f.String("dir", "", "where the stores are, or are made: 2 GB for a million versions, on a real disk")
	lap := f.Duration("lap", 200*time.Millisecond, "how `LONG` a lap is")
	rounds := f.Int("rounds", 5, "how `MANY` laps a figure is the median of")
	plot := f.String("plot", "", "draw the growth into this SVG `FILE`")
	figures := f.String("report", "", "write the figures into this JSON `FILE`")
	from := f.String("from", "", "measure nothing; take the figures of this JSON `FILE`")
	return func(ctx context.Context, c console, stores []string) (err error) {
		r := new(scale.Report)
		switch {
		case *lap <= 0 || *rounds < 1 || *rounds > 1000:
			return usage("a lap takes some time, and there are 1 to 1,000 of them.")
		case *from != "":
			err = readReport(*from, r)
		case *dir == "" && len(stores) == 0:
			return usage("say with -dir where the stores are to be made, or name stores that bench has filled.")
		default:
			if len(stores) == 0 {
				stores, err = c.fillSizes(ctx, *dir, versions, *content)
			}
			if err == nil {
				r, err = scale.Measure(ctx, scale.Options{
					Addresses: stores, Lap: *lap, Rounds: *rounds, Open: openStore,
					Progress: func(what string) { c.progress().Show("%s", what) },
				})
			}
			c.progress().Clear()
		}
		if err != nil {
			return err
		}
		if *plot != "" {
			if err := os.WriteFile(*plot, []byte(r.Plot()), 0o644); err != nil {
				return err
			}
		}
		if *figures != "" {
			b, err := json.MarshalIndent(r, "", "\t")
			if err == nil {
				err = os.WriteFile(*figures, append(b, '\n'), 0o644)
			}
			if err != nil {
				return err
			}
		}
		c.scaled(r)
		return nil
	}
}

func readReport(file string, r *scale.Report) error {
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, r)
	}
	if err != nil {
		return usage("%s is no report: %v.", file, err)
	}
	return nil
}

// fillSizes makes the stores that are not there and returns their addresses.
func (c console) fillSizes(ctx context.Context, dir string, versions []int, content load.Fill) (addresses []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, n := range versions {
		f := content
		f.Versions, f.Prompts, f.Long, f.Workers = n, max(n/20, 1), n/10, fillers(f.Batch)
		if err := f.Check(); err != nil {
			return nil, err
		}
		path := filepath.Join(dir, fmt.Sprintf("stet-%d-%d-%d.db", n, f.Size, f.Batch))
		addresses = append(addresses, "sqlite:"+path)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		// Under another name until it is full.
		part := path + ".part"
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(part + suffix)
		}
		err := withStore(ctx, "sqlite:"+part, func(s *stet.Store) error {
			_, err := c.fill(ctx, s, &f)
			return err
		})
		if err == nil {
			err = os.Rename(part, path)
		}
		if err != nil {
			return nil, err
		}
		if err := os.Remove(part + ".lock"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return addresses, nil
}

// scaled writes a report: a column a store, and the targets.
func (c console) scaled(r *scale.Report) {
	for _, s := range r.LeftOut {
		c.say("LEFT OUT: %s", s)
	}
	t := term.Table{Out: c.out, Header: []string{"FIGURE"}}
	for i := range r.Stores {
		t.Header = append(t.Header, fmt.Sprintf("%d VERSIONS, %d COMMITS", r.Stores[i].Versions, r.Stores[i].Commits))
	}
	if len(r.Stores) > 0 {
		for _, f := range r.Stores[len(r.Stores)-1].Rows {
			cells := []term.Cell{{Text: f.Name}}
			for i := range r.Stores {
				cell := term.Cell{Text: "–"}
				if v, ok := r.Stores[i].Get(f.Name); ok {
					cell.Text = report.Format(v, f.Unit)
				}
				cells = append(cells, cell)
			}
			t.Row(cells...)
		}
		for _, part := range r.Stores[len(r.Stores)-1].Tables {
			if part.Bytes > 1<<20 {
				t.Row(term.Cell{Text: "table " + part.Name}, term.Cell{Text: fmt.Sprintf("%s, of which %s hold nothing",
					report.Format(float64(part.Bytes), report.Bytes), report.Format(float64(part.Unused), report.Bytes))})
			}
		}
	}
	t.Flush()
	t = term.Table{Out: c.out, Header: []string{"TARGET", "IS", "AT MOST", "VERDICT"}}
	for _, g := range r.Targets {
		verdict := term.Cell{Text: "met", Style: term.Green}
		if !g.Met() {
			verdict = term.Cell{Text: "MISSED", Style: term.BoldRed}
		}
		t.Row(term.Cell{Text: g.Name}, term.Cell{Text: report.Format(g.Ratio, g.Unit)}, term.Cell{Text: report.Format(g.Most, g.Unit)}, verdict)
	}
	t.Flush()
}
