package drivertest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/name"
	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
	"github.com/stet-dev/stet/selector"
)

// malformed says what is wrong with an operation, whatever the store holds.
func malformed(o *prompt.Op) error {
	try := func(errs ...error) error { return cmp.Or(errs...) }
	parse := func(n string) error {
		if n == "" {
			return nil
		}
		_, err := number.Parse(n)
		return err
	}
	expect := func(e *string) error {
		if e == nil {
			return nil
		}
		return parse(*e)
	}
	switch {
	case o.Save != nil:
		d := o.Save
		err := try(name.CheckID(d.PromptID), parse(d.Version), expect(d.Expect))
		if d.Version != "" && d.Bump != "" {
			err = try(err, fault.New(fault.Invalid, "both"))
		}
		_, bumpErr := number.ParseBump(d.Bump)
		_, contentErr := contentOf(d)
		err = try(err, bumpErr, contentErr)
		for i, l := range d.Labels {
			err = try(err, name.CheckLabel(l))
			if slices.Contains(d.Labels[:i], l) {
				err = try(err, fault.New(fault.Invalid, "twice"))
			}
		}
		for _, p := range d.Parents {
			id, n, ok := strings.Cut(p, "@")
			if !ok || n == "" {
				err = try(err, fault.New(fault.Invalid, "no number"))
			}
			err = try(err, name.CheckID(id), parse(n))
		}
		return err
	case o.Delete != nil:
		return try(name.CheckID(o.Delete.PromptID), parse(o.Delete.Version))
	case o.SetLabel != nil:
		l := o.SetLabel
		_, err := selector.Parse(l.Version)
		if l.Version == "" {
			err = fault.New(fault.Invalid, "no version")
		}
		return try(err, name.CheckID(l.PromptID), name.CheckLabel(l.Label), expect(l.Expect))
	case o.RemoveLabel != nil:
		l := o.RemoveLabel
		return try(name.CheckID(l.PromptID), name.CheckLabel(l.Label), expect(l.Expect))
	case o.Rollback != nil:
		l := o.Rollback
		return try(name.CheckID(l.PromptID), name.CheckLabel(cmp.Or(l.Label, prompt.DefaultLabel)), expect(l.Expect))
	case o.Clear != nil:
		return nil
	}
	return fault.New(fault.Invalid, "nothing")
}

func contentOf(d *prompt.Draft) (content.Content, error) {
	spec := content.Spec{Type: d.Type, Messages: d.Messages, Config: d.Config, Template: d.Template}
	if d.Text != "" || len(d.Messages) == 0 {
		spec.Text = &d.Text
	}
	return content.New(spec)
}
