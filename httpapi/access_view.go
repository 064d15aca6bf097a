package httpapi

import (
	"errors"
	"slices"

	"github.com/stet-dev/stet"
)

// visible returns a change as the caller may see it; false if there is nothing of
// it for him. Of a change that is hidden in part, the message is hidden too, as it
// may speak of the rest, and the fingerprint and the hash, with which one could
// test a guess at it; and the id, if it is another's. A clear is everybody's.
//
// It must be given the change as it is in the log: what was left out before, it
// does not know of as hidden. It changes nothing of what ch shares.
func (a *access) visible(ch stet.Change) (stet.Change, bool) {
	if a.grant == nil {
		return ch, true
	}
	mine := a.own(ch.ID)
	ch.ID = a.unscope(ch.ID)
	if a.grant.SeesAll() {
		return ch, true
	}
	hidden := 0
	for i := range ch.Ops {
		if a.hides(&ch.Ops[i]) {
			hidden++
		}
	}
	if hidden == len(ch.Ops) {
		return stet.Change{}, false
	}
	message := ""
	if hidden > 0 {
		message = ch.Message
		ch.Ops = slices.DeleteFunc(slices.Clone(ch.Ops), func(o stet.ChangeOp) bool { return a.hides(&o) })
		ch.Message, ch.Fingerprint, ch.Hash = "", "", stet.Hash{}
		if !mine {
			ch.ID = ""
		}
	}
	ch.Ops = a.veilOps(ch.Ops, message)
	return ch, true
}

// hides tells that the caller may not see the prompt of an operation. A clear has none.
func (a *access) hides(o *stet.ChangeOp) bool { return o.Clear == nil && !a.sees(o.PromptID()) }

// veilOps veils the versions that operations bring with them: the same slice if
// there is nothing to veil.
func (a *access) veilOps(ops []stet.ChangeOp, message string) []stet.ChangeOp {
	own := false
	for i := range ops {
		s := ops[i].Save
		if s == nil || s.Content == nil {
			continue
		}
		v := a.veilVersion(*s.Content, message)
		if v == *s.Content {
			continue
		}
		if !own {
			ops, own = slices.Clone(ops), true
		}
		save := *s
		save.Content = &v
		ops[i].Save = &save
	}
	return ops
}

// veilVersion returns a version without the parents that the caller may not know
// of, and without its message if that is the one given: that of a commit that is
// hidden in part.
func (a *access) veilVersion(v stet.Version, message string) stet.Version {
	hides := func(ref string) bool { return !a.sees(parentID(ref)) }
	parents := false
	for p := range v.Parents() {
		parents = parents || hides(p)
	}
	if !parents && (message == "" || v.Message() != message) {
		return v
	}
	f := stet.Fields{
		PromptID: v.PromptID(), Number: v.Number(), Ordinal: v.Ordinal(), Revision: v.Revision(), Digest: v.Digest(), Content: v.Content(),
		Metadata: v.Metadata(), Parents: slices.DeleteFunc(slices.Collect(v.Parents()), hides), Author: v.Author(), Message: v.Message(), CreatedAt: v.CreatedAt(),
	}
	if f.Message == message {
		f.Message = ""
	}
	r := stet.NewRecord(f)
	return r.AsOf(v.AsOf())
}

// asFault finds stet's error in err, and what to put another in its place with.
func asFault(err error) (*stet.Error, func(*stet.Error) error) {
	var special *statusError
	if errors.As(err, &special) {
		return special.err, func(e *stet.Error) error { return &statusError{e, special.status} }
	}
	var e *stet.Error
	errors.As(err, &e)
	return e, func(e *stet.Error) error { return e }
}
