package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/scale"
	"github.com/stet-dev/stet/internal/term"
)

// measuring are the flags of the verbs that measure large stores.
type measuring struct {
	Lap    time.Duration `default:"200ms" placeholder:"T" help:"How long a lap is (${default})."`
	Rounds int           `default:"5" placeholder:"N" help:"How many laps a figure is the median of (${default})."`
}

type benchMeasureCmd struct {
	measuring
}

func (*benchMeasureCmd) Help() string {
	return `Examples:

    stet bench measure --store sqlite:big.db
    stet bench measure --store sqlite:big.db --json >big.json

The store must be one that stet bench fill made; saves are measured too, and stay.
sqlite3, the command line, is what opening is held against.`
}

func (c *benchMeasureCmd) Run(a *app) error {
	r, err := c.measure(a, a.flags.Store)
	if err != nil {
		return err
	}
	return a.scaled(r)
}

type benchScaleCmd struct {
	measuring
	Dir      string `required:"" placeholder:"DIR" help:"Where the stores are, or are made: 2 GB for a million versions. On a real disk."`
	Versions []int  `default:"10000,100000,1000000" placeholder:"N,…" help:"How large the stores are (${default})."`
	Size     int    `default:"1024" placeholder:"BYTES" help:"How long each text is (${default})."`
	Batch    int    `default:"500" placeholder:"N" help:"How many saves a commit of a fill has (${default})."`
	Plot     string `placeholder:"FILE" help:"Draw the growth into this SVG file."`
	Report   string `placeholder:"FILE" help:"Write the figures into this JSON file."`
	From     string `placeholder:"FILE" help:"Measure nothing; take the figures of this JSON file."`
}

func (*benchScaleCmd) Help() string {
	return `Examples:

    stet bench scale --dir /var/tmp/scale --plot docs/scale.svg --report docs/scale.json
    stet bench scale --dir /var/tmp/scale --batch 1     # a commit a version
    stet bench scale --dir . --from docs/scale.json --plot docs/scale.svg

Fills a store of each size with a twentieth as many prompts, and one prompt with a
tenth as many versions more, unless it is there already; measures each, and holds
the largest against the targets of the design.`
}

func (c *benchScaleCmd) Run(a *app) error {
	r := new(scale.Report)
	if c.From != "" {
		b, err := os.ReadFile(c.From)
		if err == nil {
			err = json.Unmarshal(b, r)
		}
		if err != nil {
			return fault.New(fault.Invalid, "%s is no report: %v.", c.From, err)
		}
	} else {
		addresses, err := c.fill(a)
		if err != nil {
			return err
		}
		if r, err = c.measure(a, addresses...); err != nil {
			return err
		}
	}
	if c.Plot != "" {
		if err := os.WriteFile(c.Plot, []byte(r.Plot()), 0o644); err != nil {
			return err
		}
	}
	if c.Report != "" {
		b, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Report, append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	return a.scaled(r)
}

// fill makes the stores that are not there.
func (c *benchScaleCmd) fill(a *app) (addresses []string, err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	for _, n := range c.Versions {
		f := (&benchFillCmd{Versions: n, Prompts: max(n/20, 1), Long: n / 10, Size: c.Size, Seed: 1, Batch: c.Batch}).fill()
		if err := f.Check(); err != nil {
			return nil, err
		}
		path := filepath.Join(c.Dir, fmt.Sprintf("stet-%d-%d-%d.db", n, c.Size, c.Batch))
		addresses = append(addresses, "sqlite:"+path)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		// Under another name until it is full.
		part := path + ".part"
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(part + suffix)
		}
		s, err := a.openStore(a.ctx, "sqlite:"+part)
		if err != nil {
			return nil, err
		}
		_, err = a.fill(a.ctx, s, f)
		if cerr := s.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Rename(part, path)
		}
		if err != nil {
			return nil, err
		}
		os.Remove(part + ".lock")
	}
	return addresses, nil
}

func (m *measuring) measure(a *app, addresses ...string) (*scale.Report, error) {
	if m.Lap <= 0 || m.Rounds < 1 || m.Rounds > 1000 {
		return nil, fault.New(fault.Invalid, "a lap takes some time, and there are 1 to 1,000 of them.")
	}
	line := a.line()
	defer line.clear()
	return scale.Measure(a.ctx, scale.Options{
		Addresses: addresses, Lap: m.Lap, Rounds: m.Rounds, Progress: line.show, Open: a.openStore,
	})
}

// scaled prints a report: a column a store, and the targets.
func (a *app) scaled(r *scale.Report) error {
	for _, s := range r.LeftOut {
		a.say("LEFT OUT: " + s)
	}
	if a.flags.JSON {
		return a.json(r)
	}
	t := term.Table{Out: a.out, Header: []string{"FIGURE"}}
	for i := range r.Stores {
		t.Header = append(t.Header, fmt.Sprintf("%d VERSIONS, %d COMMITS", r.Stores[i].Versions, r.Stores[i].Commits))
	}
	if len(r.Stores) > 0 {
		for _, f := range r.Stores[len(r.Stores)-1].Rows {
			cells := []term.Cell{{Text: f.Name}}
			for i := range r.Stores {
				cell := term.Cell{Text: "–"}
				if v, ok := r.Stores[i].Get(f.Name); ok {
					cell.Text = scale.Format(v, f.Unit)
				}
				cells = append(cells, cell)
			}
			t.Row(cells...)
		}
		for _, part := range r.Stores[len(r.Stores)-1].Tables {
			if part.Bytes > 1<<20 {
				t.Row(term.Cell{Text: "table " + part.Name}, term.Cell{Text: fmt.Sprintf("%s, of which %s hold nothing",
					scale.Format(float64(part.Bytes), scale.Bytes), scale.Format(float64(part.Unused), scale.Bytes))})
			}
		}
	}
	t.Flush()
	t = term.Table{Out: a.out, Header: []string{"TARGET", "IS", "AT MOST", "VERDICT"}}
	for _, g := range r.Targets {
		verdict := term.Cell{Text: "met", Style: term.Green}
		if !g.Met() {
			verdict = term.Cell{Text: "MISSED", Style: term.BoldRed}
		}
		t.Row(term.Cell{Text: g.Name}, term.Cell{Text: scale.Format(g.Ratio, g.Unit)}, term.Cell{Text: scale.Format(g.Most, g.Unit)}, verdict)
	}
	t.Flush()
	return nil
}

// A statusLine is a line on the terminal that is written over again, and nothing
// where there is no terminal.
type statusLine struct{ a *app }

func (a *app) line() *statusLine { return &statusLine{a} }

func (l *statusLine) show(what string) {
	if o := l.a.errs; o.TTY {
		o.WriteString("\r\x1b[K" + term.Cut(term.Line(what), max(o.Width-1, 40)))
		o.Flush()
	}
}

func (l *statusLine) clear() {
	if o := l.a.errs; o.TTY {
		o.WriteString("\r\x1b[K")
		o.Flush()
	}
}
