package core

import (
	"slices"
	"strings"
	"time"

	"github.com/stet-dev/stet/internal/mutant"
	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
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
	labels   []label  // by name, those included that were removed

	createdAt time.Time
	updatedAt time.Time
}

// A label is a pointer and where it has been.
type label struct {
	name  string
	at    *version // nil once it was removed
	moves []move   // oldest first; never empty. Heads share the array, as with ordinals.
}

// A move is one move of a label. It has the numbers and not the versions, so
// that a history keeps no body alive.
type move struct {
	revision uint64
	from, to number.Number // zero for none
	time     time.Time
	author   string
	message  string
}

func (l *label) last() *move { return &l.moves[len(l.moves)-1] }

// linearLabels is up to how many labels are compared one after the other: at a
// handful of short names that is cheaper than a binary search's branches.
const linearLabels = 8

// label returns the label of that name, removed or not, or nil.
func (h *head) label(name string) *label {
	if len(h.labels) <= linearLabels {
		for i := range h.labels {
			if h.labels[i].name == name {
				return &h.labels[i]
			}
		}
		return nil
	}
	if i, ok := h.findLabel(name); ok {
		return &h.labels[i]
	}
	return nil
}

// findLabel returns where the label is, or where it belongs.
func (h *head) findLabel(name string) (int, bool) {
	return slices.BinarySearchFunc(h.labels, name, func(l label, name string) int {
		return strings.Compare(l.name, name)
	})
}

// labelsAt returns the names of the labels that point at v, or at anything if v
// is nil.
func (h *head) labelsAt(v *version) []string {
	var names []string
	for i := range h.labels {
		if at := h.labels[i].at; at != nil && (v == nil || at == v) {
			names = append(names, h.labels[i].name)
		}
	}
	return names
}

// used returns the version that has the number or had it, or nil.
func (h *head) used(n number.Number) *version {
	if v := h.live.get(n); v != nil {
		return v
	}
	return h.dead.get(n)
}

// highestUsed returns the highest number that was ever used, zero for none.
func (h *head) highestUsed() number.Number {
	live, dead := h.live.max(), h.dead.max()
	if live.IsZero() || !dead.IsZero() && live.Less(dead) {
		return dead
	}
	return live
}

// next returns a copy of h to be changed by the commit c.
func (h *head) next(c *prompt.Change) *head {
	n := *h
	n.revision = c.Revision
	n.updatedAt = c.Time
	return &n
}

// addVersion adds a version to a head that next returned.
func (h *head) addVersion(v *version) {
	if mutant.On(mutant.HistoryCopied) {
		h.ordinals = slices.Clone(h.ordinals)
	}
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
func (h *head) savedInOrder(n number.Number) bool {
	if n.IsPrerelease() || h.live.prereleases != nil || h.dead != (versions{}) {
		return false
	}
	o := h.live.releases
	if o == nil {
		return len(h.ordinals) == 0
	}
	return o.tree == nil && len(o.list) == len(h.ordinals) && &o.list[0] == &h.ordinals[0] && o.max().number.Less(n)
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
	if mutant.On(mutant.TombstonesForgotten) {
		h.dead = h.dead.without(v.number)
	}
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
func (h *head) moveLabel(name string, at *version, to number.Number, c *prompt.Change) {
	m := move{revision: c.Revision, to: to, time: c.Time, author: c.Author, message: c.Message}
	i, ok := h.findLabel(name)
	if mutant.On(mutant.LabelOnTwo) && at != nil {
		ok = false
	}
	if ok {
		if h.labels[i].last().to == to {
			return // it is there already: that is no move
		}
		h.labels = slices.Clone(h.labels)
		l := &h.labels[i]
		m.from = l.last().to
		l.at = at
		l.moves = append(l.moves, m)
	} else {
		labels := make([]label, 0, len(h.labels)+1)
		labels = append(labels, h.labels[:i]...)
		labels = append(labels, label{name, at, []move{m}})
		h.labels = append(labels, h.labels[i:]...)
	}
	h.settle()
}

// settle derives latest and current.
func (h *head) settle() {
	h.latest = h.live.latest()
	h.promoted, h.current = nil, h.latest
	if l := h.label(prompt.DefaultLabel); l != nil && l.at != nil {
		h.promoted, h.current = l.at, l.at
	}
}

// view returns the head as callers see it.
func (h *head) view(asOf uint64) prompt.Head {
	p := prompt.Head{
		PromptID:  h.id,
		Labels:    make(map[string]string),
		Versions:  h.live.len(),
		Revision:  h.revision,
		CreatedAt: h.createdAt,
		UpdatedAt: h.updatedAt,
		AsOf:      asOf,
	}
	if h.latest != nil {
		p.Latest = h.latest.number.String()
		p.Current = h.current.number.String()
	}
	for i := range h.labels {
		if l := &h.labels[i]; l.at != nil {
			p.Labels[l.name] = l.at.number.String()
		}
	}
	if mutant.On(mutant.HeadShared) {
		p.Labels = mutant.Shared(h, p.Labels)
	}
	return p
}
