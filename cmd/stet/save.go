package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

type saveCmd struct {
	ID    string `arg:"" help:"The prompt."`
	Stdin string `arg:"" optional:"" name:"-" help:"Read the text from standard input, as without -f."`

	File     string `short:"f" placeholder:"FILE" help:"Read the text from a file; - is standard input."`
	Messages bool   `help:"The text is a chat: a JSON list of messages."`
	Config   string `placeholder:"JSON" help:"A JSON object that goes with the text: model, temperature; or @FILE."`
	Metadata string `placeholder:"JSON" help:"A JSON object about the version, not part of the content; or @FILE."`
	Template string `placeholder:"KIND" help:"none: braces stay as they are, and nothing is a variable."`

	Version   string   `placeholder:"N" help:"The number to save under. Refused if it was ever used."`
	Bump      string   `placeholder:"PART" help:"Which part of the number to raise: auto, major, minor or patch. auto looks at what changed."`
	Expect    *string  `placeholder:"N" help:"Save only if latest is this number; --expect= if there must be no version yet."`
	IfChanged bool     `help:"Save only if the content is not that of latest."`
	Label     []string `short:"l" sep:"none" placeholder:"LABEL" help:"Move a label to the new version. May be given more than once."`
	Parent    []string `sep:"none" placeholder:"ID@N" help:"A version that this one was made from. May be given more than once."`
	by
}

func (*saveCmd) Help() string {
	return `Examples:

    stet save support/triage -f triage.txt -m "Ask for the order number"
    echo "Hello {{name}}" | stet save greeting
    stet save support/triage -f triage.txt --bump major --label staging
    stet save support/chat -f chat.json --messages --config '{"model":"m"}'
    stet save support/triage -f triage.txt --expect 1.4.0   # only if nobody else has saved
    stet save support/triage -f triage.txt --if-changed     # in a CI job

The text is kept byte for byte. It prints the number and why it is that one.
With --json: the commit's answer, {"id","revision","time","results":[…]}.`
}

func (c *saveCmd) Run(a *app) error {
	draft, err := c.draft(a)
	if err != nil {
		return err
	}
	return a.write(func(ctx context.Context, s *stet.Store) error {
		done, err := c.commit(ctx, s, stet.Op{Save: &draft})
		if err != nil {
			return err
		}
		return a.done(done, func(r *stet.Result) string { return a.saved(c, r) })
	})
}

func (c *saveCmd) draft(a *app) (d stet.Draft, err error) {
	file := c.File
	switch {
	case c.Stdin != "" && c.Stdin != "-":
		return d, stet.Errorf(stet.CodeInvalid, "%q follows the prompt's id. To save a file write -f %s; the text itself comes on standard input.", c.Stdin, c.Stdin)
	case c.Stdin == "-" && file != "" && file != "-":
		return d, stet.Errorf(stet.CodeInvalid, "both - and -f %s were given. Give one.", file)
	case file == "":
		file = "-"
	}
	if strings.Contains(c.ID, "@") {
		return d, stet.Errorf(stet.CodeInvalid, "%q names a version. Name the prompt alone; --version N chooses the number.", c.ID)
	}
	if file == "-" && term.IsTerminal(a.stdin) {
		a.say("Type the text of " + c.ID + ", and end with Ctrl-D on a line of its own. (Or: -f FILE)")
	}
	body, err := a.readAll(file)
	if err != nil {
		return d, err
	}
	d = stet.Draft{
		PromptID: c.ID, Template: c.Template, Version: c.Version, Bump: stet.Bump(c.Bump), Expect: c.Expect,
		IfChanged: c.IfChanged, Labels: c.Label, Parents: c.Parent,
	}
	if c.Messages {
		d.Type, d.Messages = "chat", json.RawMessage(body)
	} else {
		d.Type, d.Text = "text", string(body)
	}
	config, err := a.value(c.Config)
	if err != nil {
		return d, err
	}
	metadata, err := a.value(c.Metadata)
	d.Config, d.Metadata = json.RawMessage(config), json.RawMessage(metadata)
	return d, err
}

// saved reports what a save did and why.
func (a *app) saved(c *saveCmd, r *stet.Result) string {
	s := term.Line(r.PromptID) + " " + a.out.Paint(term.Yellow, r.Version.String())
	switch {
	case r.Unchanged:
		s += " (unchanged: latest has this content already)"
	case r.Bump != "" && r.Reason != "":
		s += " (" + string(r.Bump) + ": " + term.Line(r.Reason) + ")"
	case r.Bump != "":
		s += " (" + string(r.Bump) + ")"
	case c.Version == "":
		s += " (the first version)"
	}
	for _, l := range r.Labels {
		s += ", " + a.move(&l)
	}
	return s
}

// move reports where a label went.
func (a *app) move(l *stet.LabelChange) string {
	from, to := l.From.String(), a.out.Paint(term.Yellow, l.To.String())
	label := a.out.Paint(term.Green, l.Label)
	switch {
	case l.To.IsZero():
		return label + " removed (was " + from + ")"
	case l.From.IsZero():
		return label + " → " + to
	case l.From == l.To:
		return label + " stays at " + to
	}
	return label + " " + from + " → " + to
}
