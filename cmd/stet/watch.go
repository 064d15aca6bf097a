package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

type watchCmd struct {
	Prefix string  `arg:"" optional:"" help:"Only changes of prompts whose ids begin with this."`
	Since  *uint64 `placeholder:"REV" help:"Begin after this revision; 0 shows all. If not given, only new changes are shown."`
	Texts  bool    `help:"Print the saved texts, too."`
	Limit  int     `short:"n" placeholder:"N" help:"End after so many changes."`
}

func (*watchCmd) Help() string {
	return `Examples:

    stet watch                             # until Ctrl-C
    stet watch support/ --since 0          # all changes so far, and then the new ones
    stet watch --store https://prompts.example.com | jq -r .author
    stet watch --since 812 --texts --json >>changes.jsonl

New changes can be seen only in a store that a server has open (stet serve, or --store
https://…). Of any other file --since shows the changes so far, and the command ends.

On a terminal, one line for each thing that a commit did. In a pipe or with --json: one
commit a line, {"revision","id","time","author","message","ops"}. To go on later, give
--since the last revision that was printed. With a prefix, "ops" has only its prompts.`
}

func (c *watchCmd) Run(a *app) error {
	if err := checkLimit(c.Limit); err != nil {
		return err
	}
	if err := stet.CheckPrefix(c.Prefix); err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		tail, err := s.Tail(ctx)
		if err != nil {
			return err
		}
		newest := tail.Revision
		since := newest
		if c.Since != nil {
			since = *c.Since
		}
		// The file of a store that this command has opened itself is nobody else's
		// until it ends: there is what was, and nothing to wait for.
		alone := s.Engine() != "http"
		if alone && since == newest {
			return lastSeen(a.notServed(), since)
		}
		n := 0
		for ch, err := range s.Changes(ctx, since, stet.ChangesOptions{Texts: c.Texts}) {
			switch {
			case err != nil && ctx.Err() != nil:
				return nil // the person ended it
			case err != nil:
				return lastSeen(err, since)
			}
			since = ch.Revision
			if ch, ok := ch.WithPrefix(c.Prefix); ok {
				if err := a.change(&ch); err != nil {
					return err
				}
				if err := a.out.Flush(); err != nil {
					return err
				}
				if n++; n == c.Limit {
					return nil
				}
			}
			if alone && since == newest {
				return lastSeen(a.notServed(), since)
			}
		}
		return nil
	})
}

// notServed returns the error for a store that no server has open, where nothing can
// change.
func (a *app) notServed() error {
	store := redacted(a.flags.Store)
	return stet.Errorf(stet.CodeUnavailable, "no server has %s open, so nothing can change it while this command runs. Serve it, and watch again: stet serve --store %s.", store, store)
}

// lastSeen adds to the error that ended a watch where to go on.
func lastSeen(err error, since uint64) error {
	var e *stet.Error
	if !errors.As(err, &e) || e.Code != stet.CodeUnavailable {
		return err
	}
	f := *e
	f.Message += " Go on with --since " + strconv.FormatUint(since, 10) + "."
	return &f
}

// change prints a change: a line an operation for a person, its JSON for a program.
func (a *app) change(ch *stet.Change) error {
	if a.flags.JSON || !a.out.TTY {
		return a.json(ch)
	}
	head := a.out.Paint(term.Dim, "#"+strconv.FormatUint(ch.Revision, 10)+"  "+term.Ago(time.Now(), ch.Time))
	if ch.Author != "" {
		head += "  " + a.out.Paint(term.Cyan, term.Line(ch.Author))
	}
	for i := range ch.Ops {
		o := &ch.Ops[i]
		line := head + "  " + a.operation(o)
		if m := firstLine(ch.Message); m != "" && i == 0 {
			line += a.out.Paint(term.Dim, "  — "+term.Line(m))
		}
		if err := a.println(line); err != nil {
			return err
		}
		if o.Save != nil && o.Save.Content != nil {
			v := o.Save.Content
			if err := a.content(v.Type(), v.Text(), v.Content().Messages()); err != nil {
				return err
			}
		}
	}
	return nil
}

// operation describes an operation.
func (a *app) operation(o *stet.ChangeOp) string {
	switch {
	case o.Save != nil:
		return a.savedOp(o.Save)
	case o.Delete != nil:
		return a.deletedOp(o.Delete)
	case o.Clear != nil:
		return a.out.Paint(term.Red, "cleared the store")
	}
	what, l := "label ", o.Label()
	if o.Rollback != nil {
		what = "rolled back "
	}
	return what + term.Line(l.PromptID) + " " + a.move(l)
}

func (a *app) savedOp(s *stet.SaveChange) string {
	line := "saved " + term.Line(s.PromptID) + " " + a.out.Paint(term.Yellow, s.Version.String())
	switch {
	case s.Unchanged:
		line += " unchanged"
	case s.Bump != "" && s.Reason != "":
		line += " " + string(s.Bump) + ": " + term.Line(s.Reason)
	case s.Bump != "":
		line += " " + string(s.Bump)
	}
	return line + a.labels(s.Labels)
}

func (a *app) deletedOp(d *stet.DeleteChange) string {
	what := term.Line(d.PromptID)
	if !d.Version.IsZero() {
		what += "@" + d.Version.String()
	}
	if d.Deleted == 0 {
		return "deleted nothing: no " + what
	}
	if d.Version.IsZero() {
		what += " (" + plural(d.Deleted, "version") + ")"
	}
	return a.out.Paint(term.Red, "deleted") + " " + what + a.labels(d.Labels)
}

func (a *app) labels(moved []stet.LabelChange) string {
	s := ""
	for i := range moved {
		s += ", " + a.move(&moved[i])
	}
	return s
}
