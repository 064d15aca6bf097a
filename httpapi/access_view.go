package httpapi

import (
	"slices"

	"github.com/stet-dev/stet"
)

// visible returns a change as the caller may see it; false if it may see nothing of it. If
// a part is hidden, so is the message, which may describe that part; the fingerprint and
// the hash, with which a guess at it could be tested; and the id, if another caller's.
// Everybody sees a clear.
//
// The change must be as it is in the log: what was left out before does not count as
// hidden. visible does not change what ch shares.
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
	ch.Ops = a.redactOps(ch.Ops, message)
	return ch, true
}

// hides reports whether the caller may not see the prompt of an operation. A clear has none.
func (a *access) hides(o *stet.ChangeOp) bool { return o.Clear == nil && !a.sees(o.PromptID()) }

// redactOps redacts the versions in operations. It returns the same slice if there is
// nothing to redact.
func (a *access) redactOps(ops []stet.ChangeOp, message string) []stet.ChangeOp {
	own := false
	for i := range ops {
		s := ops[i].Save
		if s == nil || s.Content == nil {
			continue
		}
		v := a.redactVersion(*s.Content, message)
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

// redactVersion returns a version without the parents that the caller may not see, and
// without its message if that is the given one, of a commit that is partly hidden.
func (a *access) redactVersion(v stet.Version, message string) stet.Version {
	hides := func(ref string) bool { return !a.sees(parentID(ref)) }
	parents := false
	for p := range v.Parents() {
		parents = parents || hides(p)
	}
	if !parents && (message == "" || v.Message() != message) {
		return v
	}
	f := stet.VersionFields{
		PromptID: v.PromptID(), Number: v.Number(), Ordinal: v.Ordinal(), Revision: v.Revision(), Digest: v.Digest(), Content: v.Content(),
		Metadata: v.Metadata(), Parents: slices.DeleteFunc(slices.Collect(v.Parents()), hides), Author: v.Author(), Message: v.Message(), CreatedAt: v.CreatedAt(),
	}
	if f.Message == message {
		f.Message = ""
	}
	return stet.NewVersion(&f, v.AsOf())
}
