package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stet-dev/stet/bench/peers"
	"github.com/stet-dev/stet/bench/report"
	"github.com/stet-dev/stet/internal/term"
)

// defineCompare measures two commits side by side: bench as it is at each, built once,
// is run in turn for a round at a time. Who begins alternates, so that a machine that
// slows down favours neither. What it goes by is the Markdown table, which bench has
// been able to write for longer than it could compare.
func defineCompare(f *flag.FlagSet) func(context.Context, console, []string) error {
	o := peerFlags(f)
	base := f.String("base", "", "the `COMMIT` to compare with")
	return func(ctx context.Context, c console, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		if *base == "" {
			return usage("say with -base which commit to compare with.")
		}
		p := newComparison(*base)
		if err := p.run(ctx, c, *o); err != nil {
			return err
		}
		p.write(c.out)
		return nil
	}
}

// A comparison is what two commits measured: of each row, two series of figures for
// stet and two for its peer.
type comparison struct {
	base  string
	names []string // of the rows, in the order in which they were first met
	rows  map[string]*comparedRow
}

type comparedRow struct {
	unit      report.Unit
	base, now series
}

// A series is the figures of a row at one commit, one a round.
type series struct{ stet, peer []float64 }

func newComparison(base string) *comparison {
	return &comparison{base: base, rows: make(map[string]*comparedRow)}
}

// run builds bench at both commits and runs the two in turn.
func (p *comparison) run(ctx context.Context, c console, o peers.Options) (err error) {
	dir, err := os.MkdirTemp(o.Dir, "stet-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	top, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "base")
	if _, err := output(ctx, top, "git", "worktree", "add", "--detach", tree, p.base); err != nil {
		return err
	}
	defer func() { // also where ctx has ended
		_, rerr := output(context.WithoutCancel(ctx), top, "git", "worktree", "remove", "--force", tree)
		err = errors.Join(err, rerr)
	}()
	programs := []string{filepath.Join(dir, "bench-base"), filepath.Join(dir, "bench-now")}
	for i, from := range []string{tree, top} {
		c.progress().Show("building %s", filepath.Base(programs[i]))
		if _, err := output(ctx, filepath.Join(from, "bench"), "go", "build", "-o", programs[i], "."); err != nil {
			return err
		}
	}
	table := filepath.Join(dir, "table.md")
	args := []string{"-rounds", "1", "-markdown", table, "-dir", filepath.Join(dir, "data")}
	if o.HTTP {
		args = append(args, "-http")
	}
	if o.Short {
		args = append(args, "-short")
	}
	if o.Only != nil {
		args = append(args, "-run", o.Only.String())
	}
	defer c.progress().Clear()
	for round := range o.RoundsOrDefault() {
		for turn := range programs {
			which := (turn + round) % 2
			c.progress().Show("round %d of %d: %s", round+1, o.RoundsOrDefault(), filepath.Base(programs[which]))
			if _, err := output(ctx, dir, programs[which], args...); err != nil {
				return err
			}
			markdown, err := os.ReadFile(table)
			if err != nil {
				return err
			}
			if err := p.add(which == 1, string(markdown)); err != nil {
				return err
			}
		}
	}
	return nil
}

// output runs a program in a directory and returns what it prints; the error has what
// it says besides.
func output(ctx context.Context, dir, program string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = dir
	out, err := c.Output()
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		err = fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), cmp.Or(context.Cause(ctx), err), e.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// add adds the figures of a round, from the table that one of the two wrote.
func (p *comparison) add(now bool, markdown string) error {
	for line := range strings.Lines(markdown) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) < 4 || cells[0] == "stet" || cells[0] == "---" {
			continue
		}
		name := cells[0] + " × " + cells[2]
		row := p.rows[name]
		if row == nil {
			row = new(comparedRow)
			p.names, p.rows[name] = append(p.names, name), row
		}
		into := &row.base
		if now {
			into = &row.now
		}
		for i, figures := range map[int]*[]float64{1: &into.stet, 3: &into.peer} {
			if cells[i] == "–" {
				continue // left out
			}
			value, unit, err := report.Parse(cells[i])
			if err != nil {
				return err
			}
			row.unit = unit
			*figures = append(*figures, value)
		}
	}
	return nil
}

// write writes a row for each of the table's: what stet took at both commits, and the
// ratio, below 1 where it takes less now. Beside it stand the least and the greatest
// ratio of one round, and the ratio of the peer, which did not change: what that is
// off 1, the machine is.
func (p *comparison) write(out *term.Output) {
	t := term.Table{Out: out, Header: []string{strings.ToUpper(p.base), "NOW", "NOW / BASE", "MIN–MAX", "THE PEER", "ROW"}}
	for _, name := range p.names {
		row := p.rows[name]
		cells := []string{row.median(row.base.stet), row.median(row.now.stet), "–", "–", "–", name}
		if all := ratios(row.base.stet, row.now.stet); all != nil {
			cells[2] = report.Ratio(report.Median(row.now.stet) / report.Median(row.base.stet))
			cells[3] = report.Ratio(slices.Min(all)) + "–" + report.Ratio(slices.Max(all))
		}
		if len(row.base.peer) > 0 && len(row.now.peer) > 0 {
			cells[4] = report.Ratio(report.Median(row.now.peer) / report.Median(row.base.peer))
		}
		line := make([]term.Cell, len(cells))
		for i, text := range cells {
			line[i].Text = text
		}
		t.Row(line...)
	}
	t.Flush()
}

func (r *comparedRow) median(all []float64) string {
	if len(all) == 0 {
		return "–"
	}
	return report.Format(report.Median(all), r.unit)
}

// ratios are those of the rounds that both have.
func ratios(base, now []float64) (all []float64) {
	for i := range min(len(base), len(now)) {
		all = append(all, now[i]/base[i])
	}
	return all
}
