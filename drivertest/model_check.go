package drivertest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
)

// malformed says what is wrong with an operation, whatever the store holds.
func malformed(o *stet.Op) error {
	try := func(errs ...error) error { return cmp.Or(errs...) }
	parse := func(n string) error {
		if n == "" {
			return nil
		}
		_, err := stet.ParseNumber(n)
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
		err := try(stet.CheckID(d.PromptID), parse(d.Version), expect(d.Expect))
		if d.Version != "" && d.Bump != "" {
			err = try(err, stet.Errorf(stet.CodeInvalid, "both"))
		}
		_, bumpErr := stet.ParseBump(string(d.Bump))
		_, contentErr := d.Content()
		err = try(err, bumpErr, contentErr)
		for i, l := range d.Labels {
			err = try(err, stet.CheckLabel(l))
			if slices.Contains(d.Labels[:i], l) {
				err = try(err, stet.Errorf(stet.CodeInvalid, "twice"))
			}
		}
		for _, p := range d.Parents {
			id, n, ok := strings.Cut(p, "@")
			if !ok || n == "" {
				err = try(err, stet.Errorf(stet.CodeInvalid, "no number"))
			}
			err = try(err, stet.CheckID(id), parse(n))
		}
		return err
	case o.Delete != nil:
		return try(stet.CheckID(o.Delete.PromptID), parse(o.Delete.Version))
	case o.SetLabel != nil:
		l := o.SetLabel
		_, err := selector.Parse(l.Version)
		if l.Version == "" {
			err = stet.Errorf(stet.CodeInvalid, "no version")
		}
		return try(err, stet.CheckID(l.PromptID), stet.CheckLabel(l.Label), expect(l.Expect))
	case o.RemoveLabel != nil:
		l := o.RemoveLabel
		return try(stet.CheckID(l.PromptID), stet.CheckLabel(l.Label), expect(l.Expect))
	case o.Rollback != nil:
		l := o.Rollback
		return try(stet.CheckID(l.PromptID), stet.CheckLabel(cmp.Or(l.Label, stet.DefaultLabel)), expect(l.Expect))
	case o.Clear != nil:
		return nil
	}
	return stet.Errorf(stet.CodeInvalid, "nothing")
}
