package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/race"
	"github.com/stet-dev/stet/internal/term"
)

type raceCmd struct {
	Workers  int           `default:"64" placeholder:"N" help:"How many workers save at once (${default})."`
	Duration time.Duration `default:"2s" placeholder:"T" help:"How long each store has, at most (${default})."`
	Saves    int           `default:"1000000" placeholder:"N" help:"How many saves into each store, at most (${default})."`
}

func (*raceCmd) Help() string {
	return `Examples:

    stet race
    stet race --workers 8 --duration 10s
    stet race --json

Three stores get the same task from the same workers: save each text under the next
number. They run one after the other, each alone on the machine for the same time.

1. What stet began with: a store in memory over a plain dict, rewritten in Go. It looks
   whether a number is free, and then takes it. Each access to the dict is safe by
   itself, as in Python; the two together are not.
2. The same store with its fix: one lock around each method. Its callers still read the
   latest number and then save the next one. A caller that is too late is refused and
   tries again.
3. stet's memory engine, as anybody uses it.

Where a thread could be switched between the two steps, the first two always switch, so
that seconds show what takes a day in production.

LOST: reported as saved, but not in the store. DOUBLED: given a number that somebody else
had been given. REFUSED: told to try again. SAVES/S: successful saves a second.
Exits with 0 if stet lost and doubled nothing. With --json: one object a store,
{"store","saved","lost","doubled","refused","seconds"}.`
}

func (c *raceCmd) Run(a *app) error {
	const most = 10_000
	if c.Workers < 1 || c.Workers > most || c.Saves < 1 || c.Saves > 1_000_000 || c.Duration <= 0 {
		return stet.Errorf(stet.CodeInvalid, "a race has 1 to 10,000 workers, 1 to 1,000,000 saves, and a duration above 0.")
	}
	o := race.Options{Workers: c.Workers, Saves: c.Saves, Duration: c.Duration, Every: 100 * time.Millisecond}
	live := &liveTable{out: a.errs}
	if a.errs.TTY {
		a.say(fmt.Sprintf("%s save into each store in turn, for %v each …", plural(c.Workers, "worker"), c.Duration))
		o.Progress = live.show
	}
	results, err := race.Run(a.ctx, o)
	live.clear()
	switch {
	case err != nil && a.ctx.Err() != nil:
		return errors.New("the race was stopped before every store had run; nothing was kept")
	case err != nil:
		return err
	}
	if a.flags.JSON {
		for _, r := range results {
			if err := a.json(r); err != nil {
				return err
			}
		}
	} else {
		raceTable(a.out, results, nil)
	}
	if is := results[race.Stet]; is.Lost+is.Doubled > 0 {
		return stet.Errorf(stet.CodeInternal, "stet lost %d versions and doubled %d numbers. That is a bug: please report it.", is.Lost, is.Doubled)
	}
	if a.out.TTY && !a.flags.JSON {
		for _, sentence := range raceVerdict(results) {
			a.println(sentence)
		}
	}
	return nil
}

// raceVerdict says in sentences what the results mean.
func raceVerdict(results []race.Result) []string {
	count := func(n int) string { return humanize.Comma(int64(n)) }
	was, locked := results[race.Original], results[race.Locked]
	original := "The original lost nothing this time. Try again, or with more workers."
	if was.Lost > 0 {
		original = fmt.Sprintf("The original answered \"saved\" %s times, and %s of the texts are gone.", count(was.Saved), count(was.Lost))
	}
	lock := "With its lock it lost nothing, and this time no caller came too late."
	switch {
	case locked.Lost+locked.Doubled > 0:
		lock = fmt.Sprintf("With its lock it lost %s texts. That is a mistake in the demonstration: please report it.", count(locked.Lost))
	case locked.Refused > 0:
		lock = fmt.Sprintf("With its lock it lost nothing, but refused %s saves: the race is now between a caller's read and its save.", count(locked.Refused))
	}
	return []string{original, lock, "stet lost nothing and refused nothing: it chooses the number in the same step that saves the text."}
}

// raceTable prints results: aligned for a person, with tabs for a program. States, if
// there are any, say what each store is doing.
func raceTable(o *term.Output, results []race.Result, states []string) {
	t := term.Table{Out: o, Header: []string{"STORE", "SAVED", "LOST", "DOUBLED", "REFUSED", "SAVES/S"}}
	for i, r := range results {
		bad := func(n int) term.Cell {
			c := term.Cell{Text: strconv.Itoa(n), Style: term.Green}
			if n > 0 {
				c.Style = term.BoldRed
			}
			return c
		}
		row := []term.Cell{
			{Text: r.Store}, {Text: strconv.Itoa(r.Saved)}, bad(r.Lost), bad(r.Doubled),
			{Text: strconv.Itoa(r.Refused)}, {Text: strconv.Itoa(int(float64(r.Saved) / max(r.Seconds, 1e-9)))},
		}
		if states != nil {
			row = append(row, term.Cell{Text: states[i], Style: term.Dim})
		}
		t.Row(row...)
	}
	t.Flush()
}

// A liveTable is a table that is overwritten in place.
type liveTable struct {
	out   *term.Output
	lines int
}

func (l *liveTable) show(results []race.Result, running int) {
	states := make([]string, len(results))
	for i := range states {
		switch {
		case i < running:
			states[i] = "done"
		case i == running:
			states[i] = "running"
		default:
			states[i] = "waiting"
		}
	}
	l.up()
	raceTable(l.out, results, states)
	l.lines = len(results) + 1
	l.out.Flush()
}

// up moves to the table's first line and clears what is below.
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
