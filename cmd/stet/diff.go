package main

import (
	"context"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/diff"
)

type diffCmd struct {
	ID       string `arg:"" help:"The prompt."`
	From     string `arg:"" optional:"" default:"current" help:"The one version (${default})."`
	To       string `arg:"" optional:"" default:"latest" help:"The other version (${default})."`
	ExitCode bool   `help:"Exit with 1 if they differ."`
}

func (*diffCmd) Help() string {
	return `Examples:

    stet diff support/triage                   # what would come with latest
    stet diff support/triage 1.2.0 production
    stet diff support/triage 1.2.0 1.3.0 | less
    stet diff support/triage --exit-code && echo "latest is out"

On a terminal the words that changed within a line are marked. In a pipe it is a
unified diff, which patch takes. The type, template, config and metadata follow as
JSON if they differ. With --json: {"prompt_id","from","to","changed","level",
"reason","diff"}. Exits with 0 also if the versions differ, unless --exit-code.`
}

func (c *diffCmd) Run(a *app) error {
	if err := promptOnly(c.ID); err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		two, err := s.GetMany(ctx, []string{c.ID + "@" + c.From, c.ID + "@" + c.To}, stet.ReadOptions{})
		if err != nil {
			return err
		}
		from, to := two[0], two[1]
		if a.flags.JSON {
			err = a.diffJSON(from, to)
		} else {
			err = a.diff(from, to)
		}
		if err == nil && c.ExitCode && !same(from, to) {
			return errSaid
		}
		return err
	})
}

func same(a, b stet.Version) bool {
	return a.Digest() == b.Digest() && a.Metadata() == b.Metadata()
}

func (a *app) diff(from, to stet.Version) error {
	if same(from, to) {
		if from.Number() == to.Number() {
			a.say("both are " + from.Ref())
		} else {
			a.say(from.Ref() + " and " + to.Ref() + " have the same content")
		}
		return nil
	}
	if !a.out.TTY {
		a.out.WriteString(diff.Versions(from, to))
		return nil
	}
	for _, p := range diff.Parts(from, to) {
		if err := diff.Color(a.out, p.OldName, p.NewName, p.Before, p.After); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) diffJSON(from, to stet.Version) error {
	change := content.Compare(from.Content(), to.Content())
	return a.json(struct {
		PromptID string      `json:"prompt_id"`
		From     stet.Number `json:"from"`
		To       stet.Number `json:"to"`
		Changed  bool        `json:"changed"`
		Level    string      `json:"level"`
		Reason   string      `json:"reason,omitempty"`
		Diff     string      `json:"diff"`
	}{from.PromptID(), from.Number(), to.Number(), !same(from, to), change.Level.String(), change.Reason, diff.Versions(from, to)})
}
