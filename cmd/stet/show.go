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

type showCmd struct {
	Ref string `arg:"" name:"ID[@SELECTOR]" help:"The prompt, or one version of it."`
}

func (*showCmd) Help() string {
	return `Examples:

    stet show support/triage               # latest, current, labels
    stet show support/triage@production    # number, digest, variables, parents …
    stet show support/triage --json

In a pipe: a name and a value a line, separated by a tab. With --json: the head, or
the version.`
}

func (c *showCmd) Run(a *app) error {
	return a.read(func(ctx context.Context, s *stet.Store) error {
		if strings.Contains(c.Ref, "@") {
			v, err := s.Get(ctx, c.Ref)
			if err != nil {
				return err
			}
			return a.showVersion(v)
		}
		h, err := s.Head(ctx, c.Ref)
		if err != nil {
			return err
		}
		return a.showHead(&h)
	})
}

// pairs prints names and values, except empty values.
func (a *app) pairs(pairs ...string) error {
	t := term.Table{Out: a.out}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			t.Row(term.Cell{Text: pairs[i], Style: term.Dim}, term.Cell{Text: pairs[i+1]})
		}
	}
	t.Flush()
	return nil
}

func (a *app) time(t time.Time) string {
	if !a.out.TTY {
		return stet.FormatTime(t)
	}
	return term.Ago(time.Now(), t) + " (" + t.Local().Format("2006-01-02 15:04:05") + ")"
}

func (a *app) showHead(h *stet.Head) error {
	if a.flags.JSON {
		return a.json(h)
	}
	list := []string{"prompt", h.PromptID, "latest", h.Latest.String(), "current", h.Current.String()}
	for _, l := range slices.Sorted(maps.Keys(h.Labels)) {
		list = append(list, "label "+l, h.Labels[l].String())
	}
	return a.pairs(append(list, "versions", strconv.Itoa(h.Versions), "revision", strconv.FormatUint(h.Revision, 10),
		"created", a.time(h.CreatedAt), "updated", a.time(h.UpdatedAt))...)
}

func (a *app) showVersion(v stet.Version) error {
	if a.flags.JSON {
		return a.out.JSON(v.AppendJSON(nil))
	}
	unless := func(s, without string) string {
		if s == without {
			return ""
		}
		return s
	}
	return a.pairs("version", v.Ref(), "ordinal", "#"+strconv.FormatUint(v.Ordinal(), 10), "digest", v.Digest().String(),
		"type", v.Type(), "variables", strings.Join(slices.Collect(v.Variables()), " "),
		"placeholders", strings.Join(slices.Collect(v.Content().Placeholders()), " "),
		"config", unless(v.Content().Config(), "{}"), "template", unless(v.Content().Template(), "{{}}"),
		"metadata", unless(v.Metadata(), "{}"), "parents", strings.Join(slices.Collect(v.Parents()), " "),
		"author", v.Author(), "message", v.Message(), "revision", strconv.FormatUint(v.Revision(), 10), "created", a.time(v.CreatedAt()))
}
