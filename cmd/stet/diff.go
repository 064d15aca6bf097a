package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

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

// A part is something of which two versions are compared: their texts, or their
// settings.
type part struct{ oldName, newName, before, after string }

func parts(from, to stet.Version) []part {
	before, after := body(from.Content(), false), body(to.Content(), false)
	if before == after && from.Content().Messages() != to.Content().Messages() {
		before, after = body(from.Content(), true), body(to.Content(), true)
	}
	return []part{
		{from.Ref(), to.Ref(), before, after},
		{from.Ref() + " (settings)", to.Ref() + " (settings)", settings(from), settings(to)},
	}
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
	for _, p := range parts(from, to) {
		if !a.out.TTY {
			a.out.WriteString(diff.Unified(p.oldName, p.newName, p.before, p.after))
			continue
		}
		if err := diff.Color(a.out, p.oldName, p.newName, p.before, p.after); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) diffJSON(from, to stet.Version) error {
	change := content.Compare(from.Content(), to.Content())
	var text strings.Builder
	for _, p := range parts(from, to) {
		text.WriteString(diff.Unified(p.oldName, p.newName, p.before, p.after))
	}
	return a.json(struct {
		PromptID string      `json:"prompt_id"`
		From     stet.Number `json:"from"`
		To       stet.Number `json:"to"`
		Changed  bool        `json:"changed"`
		Level    string      `json:"level"`
		Reason   string      `json:"reason,omitempty"`
		Diff     string      `json:"diff"`
	}{from.PromptID(), from.Number(), to.Number(), !same(from, to), change.Level.String(), change.Reason, text.String()})
}

// body returns a text as it is, and a chat as a text in which each message with
// nothing but a role and a string stands under its role; raw as JSON throughout.
func body(c stet.Content, raw bool) string {
	if c.Type() != content.TypeChat {
		return c.Text()
	}
	var messages []map[string]json.RawMessage
	if raw || json.Unmarshal([]byte(c.Messages()), &messages) != nil {
		return indent(c.Messages())
	}
	var b strings.Builder
	for _, m := range messages {
		var role, text string
		if len(m) == 2 && json.Unmarshal(m["role"], &role) == nil && json.Unmarshal(m["content"], &text) == nil {
			b.WriteString("[" + role + "]\n" + text + "\n\n")
			continue
		}
		one, _ := json.Marshal(m) // cannot fail: it was read just now
		b.WriteString(indent(string(one)) + "\n")
	}
	return b.String()
}

// settings returns what a version has beside its text.
func settings(v stet.Version) string {
	one, _ := json.Marshal(struct { // cannot fail: the raw values are canonical JSON
		Type     string          `json:"type"`
		Template string          `json:"template"`
		Config   json.RawMessage `json:"config"`
		Metadata json.RawMessage `json:"metadata"`
	}{v.Type(), v.Content().Template(), json.RawMessage(v.Content().Config()), json.RawMessage(v.Metadata())})
	return indent(string(one))
}

func indent(s string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		return s
	}
	return b.String() + "\n"
}
