package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/race"
	"github.com/stet-dev/stet/internal/term"
)

type raceCmd struct {
	Workers  int           `default:"64" placeholder:"N" help:"How many workers save at once (${default})."`
	Duration time.Duration `default:"3s" placeholder:"T" help:"How long, at most (${default})."`
	Saves    int           `default:"100000" placeholder:"N" help:"How many saves into each, at most (${default})."`
}

func (*raceCmd) Help() string {
	return `Examples:

    stet race
    stet race --workers 8 --duration 10s
    stet race --json

Two stores, the same workers, the same task: save a text under the next number. The
first is what stet began with, an in-memory store over a plain dict, rewritten in Go:
it looks whether a number is free, and then takes it. Each access to the dict is safe
by itself, as in Python; the two together are not. Where a thread may be switched
between them, the demonstration switches, so that seconds show what takes a day in
production. The second is stet's memory engine, as anybody uses it.

Lost: saved, it was said, and not there. Doubled: two were given the same number.
Exits with 0 if stet lost and doubled nothing.`
}

func (c *raceCmd) Run(a *app) error {
	const most = 10_000
	if c.Workers < 1 || c.Workers > most || c.Saves < 1 || c.Saves > 1_000_000 || c.Duration <= 0 {
		return fault.New(fault.Invalid, "a race has 1 to 10,000 workers, 1 to 1,000,000 saves, and some time.")
	}
	o := race.Options{Workers: c.Workers, Saves: c.Saves, Duration: c.Duration, Every: 100 * time.Millisecond}
	live := &liveTable{out: a.errs}
	if a.errs.TTY {
		a.say(fmt.Sprintf("%s save into both at once …", plural(c.Workers, "worker")))
		o.Progress = live.show
	}
	results, err := race.Run(a.ctx, o)
	live.clear()
	if err != nil {
		return err
	}
	if a.flags.JSON {
		for _, r := range results {
			if err := a.json(r); err != nil {
				return err
			}
		}
	} else {
		raceTable(a.out, results)
	}
	was, is := results[0], results[1]
	if is.Lost+is.Doubled > 0 {
		return fault.New(fault.Internal, "stet lost %d versions and doubled %d numbers. That is a bug: please report it.", is.Lost, is.Doubled)
	}
	if a.out.TTY && !a.flags.JSON {
		a.raceVerdict(was)
	}
	return nil
}

func (a *app) raceVerdict(was race.Result) {
	if was.Lost+was.Doubled == 0 {
		a.println("The original was lucky this time. Try again, or with more workers.")
		return
	}
	a.println(fmt.Sprintf("The original said %q to %d savers whose text is gone. stet lost nothing and gave no number twice.", "saved", was.Lost))
}

// raceTable prints results: aligned for a person, with tabs for a program.
func raceTable(o *term.Output, results []race.Result) {
	t := term.Table{Out: o, Header: []string{"STORE", "SAVED", "LOST", "DOUBLED", "REFUSED", "SAVES/S"}}
	for _, r := range results {
		bad := func(n int) term.Cell {
			c := term.Cell{Text: strconv.Itoa(n), Style: term.Green}
			if n > 0 {
				c.Style = term.BoldRed
			}
			return c
		}
		t.Row(term.Cell{Text: r.Store}, term.Cell{Text: strconv.Itoa(r.Saved)}, bad(r.Lost), bad(r.Doubled),
			term.Cell{Text: strconv.Itoa(r.Refused)}, term.Cell{Text: strconv.Itoa(int(float64(r.Saved) / max(r.Seconds, 1e-9)))})
	}
	t.Flush()
}

// A liveTable is a table that is written over again.
type liveTable struct {
	out   *term.Output
	lines int
}

func (l *liveTable) show(results []race.Result) {
	l.up()
	raceTable(l.out, results)
	l.lines = len(results) + 1
	l.out.Flush()
}

// up goes back to the table's first line and clears what is below.
func (l *liveTable) up() {
	if l.lines > 0 {
		io.WriteString(l.out, fmt.Sprintf("\x1b[%dA\x1b[J", l.lines))
		l.lines = 0
	}
}

func (l *liveTable) clear() {
	l.up()
	l.out.Flush()
}
