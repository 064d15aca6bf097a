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

type logCmd struct {
	ID      string `arg:"" help:"The prompt."`
	Limit   int    `short:"n" placeholder:"N" help:"List at most so many; all, if not given."`
	Reverse bool   `short:"r" help:"The lowest number first."`
	past
}

func (*logCmd) Help() string {
	return `Examples:

    stet log support/triage
    stet log support/triage -n 5
    stet log support/triage --json | jq -r .digest

The highest number comes first. In a pipe: number, ordinal, labels, time, author and
message, separated by tabs. With --json: one version a line, with its text.`
}

func (c *logCmd) Run(a *app) error {
	if err := promptOnly(c.ID); err != nil {
		return err
	}
	if err := checkLimit(c.Limit); err != nil {
		return err
	}
	at, err := c.point()
	if err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		labels, err := labelsOf(ctx, s, c.ID, at)
		if err != nil {
			return err
		}
		t := term.Table{Out: a.out, Header: []string{"VERSION", "LABELS", "SAVED", "BY", "MESSAGE"}}
		o := stet.ListOptions{Ascending: c.Reverse, ReadOptions: stet.ReadOptions{At: at}, Limit: pageSize(c.Limit)}
		n := 0
		for v, err := range s.List(ctx, c.ID, o) {
			if err != nil {
				return err
			}
			a.logLine(&t, v, labels[v.Number()])
			if n++; n == c.Limit {
				break
			}
		}
		t.Flush()
		return nil
	})
}

func (a *app) logLine(t *term.Table, v stet.Version, labels []string) {
	number, list := v.Number().String(), strings.Join(labels, ",")
	switch {
	case a.flags.JSON:
		a.out.JSON(v.AppendJSON(nil))
	case a.out.TTY:
		t.Row(term.Cell{Text: number, Style: term.Yellow}, term.Cell{Text: list, Style: term.Green},
			term.Cell{Text: term.Ago(time.Now(), v.CreatedAt()), Style: term.Dim}, term.Cell{Text: v.Author()},
			term.Cell{Text: firstLine(v.Message())})
	default:
		t.Row(term.Cell{Text: number}, term.Cell{Text: strconv.FormatUint(v.Ordinal(), 10)}, term.Cell{Text: list},
			term.Cell{Text: stet.FormatTime(v.CreatedAt())}, term.Cell{Text: v.Author()}, term.Cell{Text: v.Message()})
	}
}

// labelsOf returns the labels at each number, sorted, and latest.
func labelsOf(ctx context.Context, s *stet.Store, id string, at stet.Point) (map[stet.Number][]string, error) {
	head, err := s.Head(ctx, id, stet.ReadOptions{At: at})
	if err != nil {
		return nil, err
	}
	labels := make(map[stet.Number][]string)
	for _, l := range slices.Sorted(maps.Keys(head.Labels)) {
		labels[head.Labels[l]] = append(labels[head.Labels[l]], l)
	}
	labels[head.Latest] = append(labels[head.Latest], "latest")
	return labels, nil
}

func firstLine(s string) string {
	first, rest, more := strings.Cut(strings.TrimSpace(s), "\n")
	if more && strings.TrimSpace(rest) != "" {
		first += " …"
	}
	return first
}

// promptOnly refuses a version where a prompt is needed.
func promptOnly(id string) error {
	if name, _, ok := strings.Cut(id, "@"); ok {
		return stet.Errorf(stet.CodeInvalid, "%q names a version. Name the prompt alone: %s", id, name)
	}
	return nil
}

func checkLimit(n int) error {
	if n < 0 {
		return stet.Errorf(stet.CodeInvalid, "--limit is %d. Ask for 1 or more, or for all: leave it out.", n)
	}
	return nil
}

// pageSize is how many items to ask for at once if limit are wanted, 0 for all.
func pageSize(limit int) int {
	if limit == 0 {
		return stet.MaxLimit
	}
	return min(limit, stet.MaxLimit)
}
