package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

type listCmd struct {
	Prefix string `arg:"" optional:"" help:"List only the prompts whose ids begin with this."`
	Label  string `short:"l" placeholder:"LABEL" help:"List only the prompts that have this label."`
	Limit  int    `short:"n" placeholder:"N" help:"List at most so many; all, if not given."`
	past
}

func (*listCmd) Help() string {
	return `Examples:

    stet list
    stet list support/
    stet list --label production
    stet list --json | jq -r .prompt_id

In a pipe: id, latest, current, number of versions, labels and time of the last
change, separated by tabs. With --json: one head a line.`
}

func (c *listCmd) Run(a *app) error {
	if err := checkLimit(c.Limit); err != nil {
		return err
	}
	at, err := c.point()
	if err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		t := term.Table{Out: a.out, Header: []string{"PROMPT", "LATEST", "VERSIONS", "CHANGED", "LABELS"}}
		o := stet.PromptsOptions{Prefix: c.Prefix, Label: c.Label, ReadOptions: stet.ReadOptions{At: at}, Limit: pageSize(c.Limit)}
		n := 0
		for h, err := range s.Prompts(ctx, o) {
			if err != nil {
				return err
			}
			if err := a.listLine(&t, &h); err != nil {
				return err
			}
			if n++; n == c.Limit {
				break
			}
		}
		t.Flush()
		if n == 0 && a.out.TTY && !a.flags.JSON {
			a.say("There are no such prompts.")
		}
		return nil
	})
}

func (a *app) listLine(t *term.Table, h *stet.Head) error {
	var labels []string
	for _, l := range slices.Sorted(maps.Keys(h.Labels)) {
		labels = append(labels, l+"="+h.Labels[l].String())
	}
	versions := strconv.Itoa(h.Versions)
	switch {
	case a.flags.JSON:
		return a.json(h)
	case a.out.TTY:
		t.Row(term.Cell{Text: h.PromptID, Style: term.Bold}, term.Cell{Text: h.Latest.String(), Style: term.Yellow}, term.Cell{Text: versions},
			term.Cell{Text: term.Ago(time.Now(), h.UpdatedAt), Style: term.Dim},
			term.Cell{Text: strings.Join(labels, " "), Style: term.Green})
	default:
		t.Row(term.Cell{Text: h.PromptID}, term.Cell{Text: h.Latest.String()}, term.Cell{Text: h.Current.String()}, term.Cell{Text: versions},
			term.Cell{Text: strings.Join(labels, ",")}, term.Cell{Text: stet.FormatTime(h.UpdatedAt)})
	}
	return nil
}
