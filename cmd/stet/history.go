package main

import (
	"context"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

type historyCmd struct {
	Ref   string `arg:"" name:"ID[@LABEL]" help:"The prompt, and the label if it is not production."`
	Limit int    `short:"n" placeholder:"N" help:"List at most so many; all, if not given."`
}

func (*historyCmd) Help() string {
	return `Examples:

    stet history support/triage
    stet history support/triage@staging
    stet history support/triage --json

The newest move comes first. In a pipe: revision, from, to, time, author and message,
separated by tabs. With --json: one move a line.`
}

func (c *historyCmd) Run(a *app) error {
	if err := checkLimit(c.Limit); err != nil {
		return err
	}
	id, label, _ := stet.SplitRef(c.Ref)
	return a.read(func(ctx context.Context, s *stet.Store) error {
		t := term.Table{Out: a.out, Header: []string{"FROM", "TO", "WHEN", "BY", "MESSAGE"}}
		n := 0
		for m, err := range s.History(ctx, id, label, stet.HistoryOptions{Limit: pageSize(c.Limit)}) {
			if err != nil {
				return err
			}
			if err := a.historyLine(&t, &m); err != nil {
				return err
			}
			if n++; n == c.Limit {
				break
			}
		}
		t.Flush()
		return nil
	})
}

func (a *app) historyLine(t *term.Table, m *stet.Move) error {
	number := func(n stet.Number) string {
		if n.IsZero() {
			return "–"
		}
		return n.String()
	}
	switch {
	case a.flags.JSON:
		return a.json(m)
	case a.out.TTY:
		t.Row(term.Cell{Text: number(m.From)}, term.Cell{Text: number(m.To), Style: term.Yellow},
			term.Cell{Text: term.Ago(time.Now(), m.Time), Style: term.Dim}, term.Cell{Text: m.Author}, term.Cell{Text: firstLine(m.Message)})
	default:
		t.Row(term.Cell{Text: strconv.FormatUint(m.Revision, 10)}, term.Cell{Text: m.From.String()}, term.Cell{Text: m.To.String()},
			term.Cell{Text: stet.FormatTime(m.Time)}, term.Cell{Text: m.Author}, term.Cell{Text: m.Message})
	}
	return nil
}
