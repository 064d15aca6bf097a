package main

import (
	"context"

	"github.com/stet-dev/stet"
)

type rollbackCmd struct {
	Ref     string  `arg:"" name:"ID[@LABEL]" help:"The prompt, and the label if it is not production."`
	Version string  `arg:"" optional:"" help:"A number where the label has been; if not given, where it was before its last move."`
	Expect  *string `placeholder:"N" help:"Only if the label is at this number now."`
	by
}

func (*rollbackCmd) Help() string {
	return `Examples:

    stet rollback support/triage                 # production goes back one move
    stet rollback support/triage@staging
    stet rollback support/triage 1.3.0           # to a number where it has been
    stet rollback support/triage --expect 1.5.0  # only if it is still the bad one

A rollback is a move like any other: rolling back twice is where you began.`
}

func (c *rollbackCmd) Run(a *app) error {
	id, label, _ := stet.SplitRef(c.Ref)
	if label == "" {
		label = stet.DefaultLabel
	}
	if c.Version != "" {
		return c.to(a, id, label)
	}
	done, err := a.commit(c.by, stet.Op{Rollback: &stet.Rollback{PromptID: id, Label: label, Expect: c.Expect}})
	if err != nil {
		return err
	}
	return a.moved(done)
}

// to moves the label back to a number at which it has been.
func (c *rollbackCmd) to(a *app, id, label string) error {
	number, err := stet.ParseNumber(c.Version)
	if err != nil {
		if stet.CheckLabel(c.Version) == nil {
			return stet.Errorf(stet.CodeInvalid, "%s is a label, and a rollback goes to a number. To roll %s itself back: stet rollback %s@%s. To move a label to where another is: stet label %s LABEL OTHER",
				c.Version, c.Version, id, c.Version, id)
		}
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		been := false
		for m, err := range s.History(ctx, id, label, stet.HistoryOptions{}) {
			if err != nil {
				return err
			}
			if been = been || m.To == number; been {
				break
			}
		}
		if !been {
			return stet.Errorf(stet.CodeNotFound, "%s of %s has never been at %s, so it cannot go back there. Nothing changed. See: stet history %s@%s. To move it there: stet label %s %s %s",
				label, id, number, id, label, id, label, number)
		}
		done, err := c.commit(ctx, s, stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: label, Version: number.String(), Expect: c.Expect}})
		if err != nil {
			return err
		}
		return a.moved(done)
	})
}
