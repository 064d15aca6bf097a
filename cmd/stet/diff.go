package main

import (
	"cmp"
	"context"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/diff"
)

type diffCmd struct {
	Ref      string `arg:"" name:"ID[@FROM]" help:"The prompt; the first version may follow the @ instead of coming after it."`
	From     string `arg:"" optional:"" help:"The first version; current, if not given."`
	To       string `arg:"" optional:"" help:"The second version; latest, if not given."`
	ExitCode bool   `help:"Exit with 1 if they differ."`
}

func (*diffCmd) Help() string {
	return `Examples:

    stet diff support/triage                   # what would come with latest
    stet diff support/triage 1.2.0 production
    stet diff support/triage@1.2.0 support/triage@1.3.0 | less
    stet diff support/triage --exit-code && echo "latest is out"

On a terminal the words that changed within a line are marked. In a pipe it is a
unified diff, which patch takes. The type, template, config and metadata follow as
JSON if they differ. With --json: {"prompt_id","from","to","changed","level",
"reason","diff"}. It exits with 0 even if the versions differ, unless --exit-code.`
}

func (c *diffCmd) Run(a *app) error {
	id, old, new, err := c.versions()
	if err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		two, _, err := s.GetMany(ctx, []string{id + "@" + old, id + "@" + new}, stet.ReadOptions{})
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
			return errReported
		}
		return err
	})
}

// versions returns the prompt and the selectors of its two versions. Each may have the
// prompt in front.
func (c *diffCmd) versions() (id, from, to string, err error) {
	id, from, given := stet.SplitRef(c.Ref)
	rest := []string{c.From, c.To}
	if !given {
		from, rest = rest[0], rest[1:]
	}
	to = rest[0]
	if len(rest) > 1 && rest[1] != "" {
		return "", "", "", stet.Errorf(stet.CodeInvalid, "%q, %q and %q are three versions. Name two: stet diff %s FROM TO", c.Ref, c.From, c.To, id)
	}
	for _, s := range []*string{&from, &to} {
		other, sel, ok := stet.SplitRef(*s)
		switch {
		case !ok:
		case other != id:
			return "", "", "", stet.Errorf(stet.CodeInvalid, "%s and %s are two prompts, and diff compares two versions of one. To see how their texts differ, save each with stet get and compare the files.", id, *s)
		default:
			*s = sel
		}
	}
	return id, cmp.Or(from, "current"), cmp.Or(to, "latest"), nil
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
