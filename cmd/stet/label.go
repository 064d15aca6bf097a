package main

import (
	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

type labelCmd struct {
	ID      string  `arg:"" help:"The prompt."`
	Label   string  `arg:"" help:"The label: production, staging …"`
	Version string  `arg:"" optional:"" help:"Where it goes: a number, or any selector."`
	Remove  bool    `help:"Remove the label."`
	Expect  *string `placeholder:"N" help:"Only if the label is at this number now; --expect= if it must be nowhere."`
	by
}

func (*labelCmd) Help() string {
	return `Examples:

    stet label support/triage production 1.3.0
    stet label support/triage production staging     # promote what staging is
    stet label support/triage production 1.4.0 --expect 1.3.0
    stet label support/triage staging --remove

stet history shows where a label has been, and stet rollback moves it back.`
}

func (c *labelCmd) Run(a *app) error {
	if err := promptOnly(c.ID); err != nil {
		return err
	}
	var op stet.Op
	switch {
	case c.Remove && c.Version != "":
		return stet.Errorf(stet.CodeInvalid, "both a version (%s) and --remove were given. Give one.", c.Version)
	case c.Remove:
		op.RemoveLabel = &stet.RemoveLabel{PromptID: c.ID, Label: c.Label, Expect: c.Expect}
	case c.Version == "":
		return stet.Errorf(stet.CodeInvalid, "no version is given to move %s to. Write: stet label %s %s VERSION. To remove it: --remove. To see where it is: stet show %s", c.Label, c.ID, c.Label, c.ID)
	default:
		op.SetLabel = &stet.SetLabel{PromptID: c.ID, Label: c.Label, Version: c.Version, Expect: c.Expect}
	}
	done, err := a.commit(c.by, op)
	if err != nil {
		return err
	}
	return a.moved(done)
}

// moved prints where a label went.
func (a *app) moved(done stet.Done) error {
	return a.done(done, func(r *stet.Result) string {
		return term.Line(r.PromptID) + ": " + a.move(&r.Labels[0])
	})
}
