package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
	"github.com/stet-dev/stet/internal/term"
)

type deleteCmd struct {
	Ref   string `arg:"" name:"ID[@N]" help:"The version by its number, or the whole prompt."`
	Force bool   `help:"Delete it even if it has labels, and remove them."`
	Yes   bool   `short:"y" help:"Do not ask before a whole prompt is deleted."`
	by
}

func (*deleteCmd) Help() string {
	return `Examples:

    stet delete support/triage@1.2.0
    stet delete support/triage --yes     # all of its versions
    stet delete support/triage@1.2.0 --force

The text is gone for good, and the number is never used again. On a terminal it asks
before it deletes a whole prompt.`
}

func (c *deleteCmd) Run(a *app) error {
	id, number, one := stet.SplitRef(c.Ref)
	if one && number == "" {
		return stet.Errorf(stet.CodeInvalid, "%q names no version after the @. Write %s@NUMBER, or %s alone for all of it.", c.Ref, id, id)
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		if err := numberOnly(ctx, s, id, number); err != nil {
			return err
		}
		if !one && !c.Yes {
			if err := a.confirm(ctx, s, id); err != nil {
				return err
			}
		}
		done, err := c.commit(ctx, s, stet.Op{Delete: &stet.Delete{PromptID: id, Version: number, Force: c.Force}})
		if err != nil {
			return err
		}
		if a.flags.JSON {
			return a.json(deletion(done))
		}
		return a.done(done, func(r *stet.Result) string { return a.deleted(c.Ref, r) })
	})
}

// numberOnly refuses a selector where only a number will do, and says which number it
// resolves to. The store refuses what is not a selector.
func numberOnly(ctx context.Context, s *stet.Store, id, sel string) error {
	parsed, err := selector.Parse(sel)
	if sel == "" || err != nil || parsed.Kind() == selector.KindExact {
		return nil
	}
	v, err := s.Get(ctx, id+"@"+sel)
	if err != nil {
		return err
	}
	is := "is"
	if parsed.Kind() == selector.KindLabel {
		is = "is a label, on"
	}
	return stet.Errorf(stet.CodeInvalid, "%s %s %s now. What is deleted is gone for good, so it is named by its number: stet delete %s@%s", term.Line(sel), is, v.Number(), id, v.Number())
}

// A doneDelete is a stet.Done in JSON that has the number of deleted versions even if it
// is 0.
type doneDelete struct {
	ID       string         `json:"id"`
	Revision uint64         `json:"revision"`
	Time     string         `json:"time"`
	Replayed bool           `json:"replayed,omitempty"`
	Results  []deleteResult `json:"results"`
}

type deleteResult struct {
	stet.Result
	Deleted int                `json:"deleted"`
	Labels  []stet.LabelChange `json:"labels,omitempty"` // repeated, to come last
}

func deletion(d stet.Done) doneDelete {
	done := doneDelete{ID: d.ID, Revision: d.Revision, Time: stet.FormatTime(d.Time), Replayed: d.Replayed}
	for _, r := range d.Results {
		done.Results = append(done.Results, deleteResult{r, r.Deleted, r.Labels})
	}
	return done
}

func (a *app) deleted(ref string, r *stet.Result) string {
	s := "deleted " + term.Line(ref)
	switch {
	case r.Deleted == 0:
		return "nothing to delete: there is no " + term.Line(ref)
	case r.Version.IsZero():
		s += fmt.Sprintf(" (%s)", plural(r.Deleted, "version"))
	}
	for _, l := range r.Labels {
		s += ", " + a.move(&l)
	}
	return s
}

// confirm asks whether to delete a prompt, if there is a person to ask.
func (a *app) confirm(ctx context.Context, s *stet.Store, id string) error {
	if !term.IsTerminal(a.stdin) || !a.errs.TTY {
		return nil
	}
	h, err := s.Head(ctx, id)
	if isMissing(err) {
		return nil // the delete itself reports that
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.errs, "Delete %s of %s for good? [y/N] ", plural(h.Versions, "version"), term.Line(id))
	a.errs.Flush()
	answer, err := bufio.NewReader(&stoppable{ctx: ctx, r: a.stdin}).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	a.say("Nothing was deleted.")
	return errReported
}

// plural returns "1 version" or "2 versions".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

type clearCmd struct {
	Yes bool `short:"y" help:"Really delete everything."`
	by
}

func (*clearCmd) Help() string {
	return `Example:

    stet clear --yes -m "Begin anew"

All prompts, versions and labels go, and numbers start again at 1.0.0. The log goes on
and says who did it.`
}

func (c *clearCmd) Run(a *app) error {
	if !c.Yes {
		return stet.Errorf(stet.CodeInvalid, "clear deletes every prompt of %s for good. If that is what you want: stet clear --yes", a.flags.Store)
	}
	done, err := a.commit(c.by, stet.Op{Clear: &stet.Clear{}})
	if err != nil {
		return err
	}
	return a.done(done, func(*stet.Result) string { return fmt.Sprintf("cleared at revision %d", done.Revision) })
}
