package httpapi

import (
	"cmp"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// What a role may do is decided here, from the request and the keys alone. It never depends
// on the state of the store, which may have changed when the commit is applied. So the
// order of two requests does not matter.

// A right is what a caller needs for a route, as far as that is known before the body is
// read. A caller without it is refused before the server receives the body.
type right int

const (
	showKey    right = iota // any key, if there are keys
	maySave                 // and the next two: a prompt that the key is for
	mayDelete               //
	mayMove                 // a label
	mayCommit               // any operation
	mayReadAll              // what shows or takes the whole store
	anybody                 // no key
)

// may fails as forbidden if the caller lacks a right, on the prompt that the path names if
// it names one. Each operation of a commit is checked again.
func (a *access) may(r right, id string) error {
	if a.grant == nil {
		return nil
	}
	role := a.grant.Role()
	writes := role == keys.Writer || role == keys.Admin
	var err *stet.Error
	switch r {
	case mayReadAll:
		return a.mayReadAll()
	case maySave, mayDelete, mayMove:
		switch {
		case !a.sees(id):
			err = a.outside(id)
		case r == maySave && !writes:
			err = a.notInRole("save")
		case r == mayDelete && !writes:
			err = a.notInRole("delete")
		case r == mayMove && !writes && role != keys.Promoter:
			err = a.notInRole("move labels")
		}
	case mayCommit:
		if !writes && role != keys.Promoter {
			err = a.notInRole("commit")
			err.Op = 0 // no operation is allowed
		}
	}
	if err == nil {
		return nil
	}
	return err
}

// op checks one operation of a commit, and removes what only an admin may set. An
// operation of several kinds, which the store refuses, is checked as each of them.
func (a *access) op(o *stet.Op) *stet.Error {
	if o.Save != nil {
		if err := a.save(o.Save); err != nil {
			return err
		}
	}
	if o.Delete != nil {
		if err := a.delete(o.Delete); err != nil {
			return err
		}
	}
	if o.SetLabel != nil {
		if err := a.label(o.SetLabel.PromptID, o.SetLabel.Label); err != nil {
			return err
		}
	}
	if o.RemoveLabel != nil {
		if err := a.label(o.RemoveLabel.PromptID, o.RemoveLabel.Label); err != nil {
			return err
		}
	}
	if o.Rollback != nil {
		if err := a.label(o.Rollback.PromptID, cmp.Or(o.Rollback.Label, stet.DefaultLabel)); err != nil {
			return err
		}
	}
	if o.Clear != nil {
		if err := a.mayReadAll(); err != nil {
			return stet.Errorf(stet.CodeForbidden, "the key %q may not clear the store: that takes an admin's key for every prompt (*). Nothing changed.", a.name())
		}
	}
	return nil
}

// save checks a draft. Only an admin, who may import, sets its author and time; for others
// these are removed.
func (a *access) save(d *stet.Draft) *stet.Error {
	if !a.sees(d.PromptID) {
		return a.outside(d.PromptID)
	}
	if r := a.grant.Role(); r != keys.Writer && r != keys.Admin {
		return a.notInRole("save")
	}
	for _, p := range d.Parents {
		if id := parentID(p); !a.sees(id) {
			return a.outside(id)
		}
	}
	for _, l := range d.Labels {
		if err := a.label(d.PromptID, l); err != nil {
			return err
		}
	}
	if a.grant.Role() != keys.Admin {
		d.Author, d.CreatedAt = "", time.Time{}
	}
	return nil
}

// delete checks a delete. With force it also removes the labels that point there when it is
// applied, which is not known yet. So a writer may not force a delete where any label of
// the prompt is protected, wherever it points. Without force the store refuses to remove
// a label.
func (a *access) delete(d *stet.Delete) *stet.Error {
	if !a.sees(d.PromptID) {
		return a.outside(d.PromptID)
	}
	switch a.grant.Role() {
	case keys.Admin:
		return nil
	case keys.Writer:
		if d.Force && a.grant.Protected(d.PromptID, "") {
			return stet.Errorf(stet.CodeForbidden, "%s has a protected label, and a delete by force could take it away; the key %q is a writer's. Nothing changed. Delete without force, or ask an admin.", d.PromptID, a.name())
		}
		return nil
	}
	return a.notInRole("delete")
}

// label checks that the key may move a label of a prompt.
func (a *access) label(id, label string) *stet.Error {
	if !a.sees(id) {
		return a.outside(id)
	}
	switch a.grant.Role() {
	case keys.Admin:
		return nil
	case keys.Writer:
		if a.grant.Protected(id, label) {
			return stet.Errorf(stet.CodeForbidden, "the label %q of %s is protected, and the key %q is a writer's. Nothing changed. Ask a promoter of the label, or an admin.", label, id, a.name())
		}
		return nil
	case keys.Promoter:
		if !a.grant.HasLabel(label) {
			return stet.Errorf(stet.CodeForbidden, "the key %q does not move the label %q, but %s. Nothing changed.", a.name(), label, a.grant.Labels())
		}
		return nil
	}
	return a.notInRole("move labels")
}

func (a *access) notInRole(what string) *stet.Error {
	return stet.Errorf(stet.CodeForbidden, "the key %q is a %s's, which may not %s. Nothing changed. Ask for a key of another role.", a.name(), a.grant.Role(), what)
}
