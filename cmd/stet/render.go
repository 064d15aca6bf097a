package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

type renderCmd struct {
	Ref    string   `arg:"" name:"ID[@SELECTOR]" help:"The version."`
	Values []string `arg:"" optional:"" name:"NAME=VALUE" help:"The value of a variable. NAME=@FILE reads it from a file, NAME=@- from standard input, NAME=@@… begins with an @."`
	past
}

func (*renderCmd) Help() string {
	return `Examples:

    stet render greeting name=Ana
    stet render support/triage@staging ticket=@ticket.txt tone=calm
    stet render support/chat question="Where is it?" history='[]'

Every variable must have a value; nothing is escaped. The placeholders of a chat take
a JSON list of messages. A chat is printed as its messages.`
}

func (c *renderCmd) Run(a *app) error {
	values := make(map[string]string)
	for _, arg := range c.Values {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return stet.Errorf(stet.CodeInvalid, "%q is not a value for a variable. Write NAME=VALUE.", arg)
		}
		if _, twice := values[name]; twice {
			return stet.Errorf(stet.CodeInvalid, "%q is given twice.", name)
		}
		var err error
		if values[name], err = a.value(value); err != nil {
			if file, ok := strings.CutPrefix(value, "@"); ok && errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%s=@%s reads the file %s, and there is none. For a value that begins with an @ write two: %s=@@%s", name, file, file, name, file)
			}
			return err
		}
	}
	at, err := c.point()
	if err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		v, err := s.Get(ctx, c.Ref, stet.ReadOptions{At: at})
		if err != nil {
			return err
		}
		return a.render(v, values)
	})
}

func (a *app) render(v stet.Version, values map[string]string) error {
	fill := stet.Values{Variables: values, Placeholders: make(map[string]json.RawMessage)}
	known := slices.Collect(v.Variables())
	for name := range v.Content().Placeholders() {
		known = append(known, name)
		if value, ok := values[name]; ok {
			fill.Placeholders[name] = json.RawMessage(value)
		}
	}
	r, err := v.Render(fill)
	if err != nil {
		return err
	}
	for name := range values {
		if !slices.Contains(known, name) {
			a.say("note: " + v.Ref() + " has no variable " + name)
		}
	}
	if a.flags.JSON {
		return a.out.JSON(append(r.AppendMembers([]byte{'{'}), '}'))
	}
	return a.content(r.Type(), r.Text(), r.Messages())
}
