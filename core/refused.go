package core

import (
	"strings"

	"github.com/stet-dev/stet"
)

// refused remembers the commits that were refused lately, by their ids, so that
// a duplicate of the request that was held up on its way is refused as well and
// not carried out when nobody waits for it any more (trap 18). Only ids that a
// caller chose can come again.
type refused struct {
	byID  map[string]refusal
	order []string // a ring
	next  int
}

type refusal struct {
	fingerprint string
	err         *stet.Error
}

// maxRefused is how many refusals are remembered: minutes' worth under load, and
// some megabytes at most.
const maxRefused = 4096

func (r *refused) add(p *pending, err *stet.Error) {
	if p.generated {
		return
	}
	if r.byID == nil {
		r.byID = make(map[string]refusal)
	}
	id := strings.Clone(p.id) // what it was cut from is let go
	if _, ok := r.byID[id]; !ok {
		if len(r.order) < maxRefused {
			r.order = append(r.order, id)
		} else {
			delete(r.byID, r.order[r.next])
			r.order[r.next] = id
			r.next = (r.next + 1) % maxRefused
		}
	}
	r.byID[id] = refusal{p.fingerprint, err}
}

func (r *refused) find(p *pending) *stet.Error {
	old, ok := r.byID[p.id]
	switch {
	case !ok:
		return nil
	case old.fingerprint != p.fingerprint:
		return otherOperations(p.id, "was refused")
	}
	return old.err
}

func otherOperations(id, what string) *stet.Error {
	return stet.Errorf(stet.CodeConflict, "the commit id %q was used for other operations, and that commit %s. Nothing changed. Choose a new id for a new commit.", id, what)
}
