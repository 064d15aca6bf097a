package core

import (
	"slices"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// A head is what changes about a prompt, as it stands after one commit. It is
// immutable: a commit makes a new one, which shares with the old one what it did
// not change.
type head struct {
	id       string
	revision uint64 // of the commit that made it

	live versions // the versions that a selector can name
	dead versions // the tombstones of those that were deleted

	// ordinals has the version that was saved as ordinal i+1 at i, as it was when
	// it was saved; whether it still lives, the sets above say. Heads share the
	// array: a commit appends behind the end of the head that it starts from.
	ordinals []*version

	latest   *version // nil if no version lives
	promoted *version // what the default label points at, or nil; for Get, which asks for it most
	current  *version // promoted, or latest
	labels   labels   // those that are on a version
	removed  labels   // those that are on none any more, for their histories

	createdAt time.Time
	updatedAt time.Time
}

// label returns the label of that name, removed or not, or nil.
func (h *head) label(name string) *label {
	if l := h.labels.get(name); l != nil {
		return l
	}
	return h.removed.get(name)
}

// labelsAt returns the names of the labels that point at v, or at anything if v
// is nil.
func (h *head) labelsAt(v *version) []string {
	var names []string
	for l := range h.labels.all() {
		if v == nil || l.at == v {
			names = append(names, l.name)
		}
	}
	return names
}

// used returns the version that has the number or had it, or nil.
func (h *head) used(n stet.Number) *version {
	if v := h.live.get(n); v != nil {
		return v
	}
	return h.dead.get(n)
}

// highestUsed returns the highest number that was ever used, zero for none.
func (h *head) highestUsed() stet.Number {
	live, dead := h.live.max(), h.dead.max()
	if live.IsZero() || !dead.IsZero() && live.Less(dead) {
		return dead
	}
	return live
}

// next returns a copy of h to be changed by the commit c.
func (h *head) next(c *stet.Change) *head {
	n := *h
	n.revision = c.Revision
	n.updatedAt = c.Time
	return &n
}

// addVersion adds a version to a head that next returned.
func (h *head) addVersion(v *version) {
	all := h.savedInOrder(v.number)
	h.nextOrdinal(v)
	if all {
		h.live.releases = &order{list: slices.Clip(h.ordinals)}
	} else {
		h.live = h.live.with(v)
	}
	h.settle()
}

// savedInOrder tells whether the versions by ordinal and n are all releases, live
// and in their order, and are so in one array for both: most prompts never have
// another.
func (h *head) savedInOrder(n stet.Number) bool {
	if n.IsPrerelease() || !h.inOrder() {
		return false
	}
	o := h.live.releases
	return o == nil || o.max().number.Less(n)
}

// inOrder tells whether the versions by ordinal are all releases, live and in their
// order, in one array for both.
func (h *head) inOrder() bool {
	if h.live.prereleases != nil || h.dead != (versions{}) {
		return false
	}
	o := h.live.releases
	if o == nil {
		return len(h.ordinals) == 0
	}
	return o.tree == nil && len(o.list) == len(h.ordinals) && &o.list[0] == &h.ordinals[0]
}

// addTombstone adds a version that was deleted before this store got it.
func (h *head) addTombstone(v *version) {
	h.nextOrdinal(v)
	h.dead = h.dead.with(v.tombstone(h.revision))
}

func (h *head) nextOrdinal(v *version) {
	if len(h.ordinals) == 0 {
		h.createdAt = h.updatedAt
	}
	h.ordinals = append(h.ordinals, v)
}

// removeVersion turns a version into a tombstone. No label may point at it.
func (h *head) removeVersion(v *version) {
	h.live = h.live.without(v.number)
	h.dead = h.dead.with(v.tombstone(h.revision))
	h.settle()
}

// removeAll turns every version into a tombstone. No label may point at any.
func (h *head) removeAll() {
	h.dead = h.dead.tombstones(h.live, h.revision)
	h.live = versions{}
	h.settle()
}

// moveLabel moves a label, to nil to remove it. at is the version as the head
// has it.
func (h *head) moveLabel(name string, at *version, to stet.Number, c *stet.Change) {
	m := move{revision: c.Revision}
	if v := h.used(to); v != nil {
		m.to = v.ordinal
	}
	l := label{at: at, set: &setting{c.Time, strings.Clone(c.Author)}}
	if old := h.label(name); old != nil {
		if old.last().to == m.to {
			return // it is there already: that is no move
		}
		l.name, l.moves = old.name, append(old.moves, m)
	} else {
		l.name, l.moves = strings.Clone(name), []move{m} // what the name was cut from is let go
	}
	if at != nil {
		h.labels, h.removed = h.labels.with(l), h.removed.without(name)
	} else {
		h.labels, h.removed = h.labels.without(name), h.removed.with(l)
	}
	h.settle()
}

// settle derives latest and current.
func (h *head) settle() {
	h.latest = h.live.latest()
	h.promoted, h.current = nil, h.latest
	if l := h.label(stet.DefaultLabel); l != nil && l.at != nil {
		h.promoted, h.current = l.at, l.at
	}
}

// view returns the head as callers see it.
func (h *head) view(asOf uint64) stet.Head {
	p := stet.Head{
		PromptID:  h.id,
		Labels:    make(map[string]stet.Number),
		Versions:  h.live.len(),
		Revision:  h.revision,
		CreatedAt: h.createdAt,
		UpdatedAt: h.updatedAt,
		AsOf:      asOf,
	}
	if h.latest != nil {
		p.Latest = h.latest.number
		p.Current = h.current.number
	}
	for l := range h.labels.all() {
		p.Labels[l.name] = l.at.number
	}
	return p
}
