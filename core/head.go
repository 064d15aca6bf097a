package core

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"

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
	h.derive()
}

// savedInOrder reports whether the versions by ordinal, and n after them, are all
// releases, live and in their order, so that one array serves both orders: it does for
// most prompts, always.
func (h *head) savedInOrder(n stet.Number) bool {
	if n.IsPrerelease() || !h.inOrder() {
		return false
	}
	o := h.live.releases
	return o == nil || o.max().number.Less(n)
}

// inOrder reports whether the versions by ordinal are all releases, live and in their
// order, and one array serves both orders.
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
	h.derive()
}

// removeAll turns every version into a tombstone. No label may point at any.
func (h *head) removeAll() {
	h.dead = h.dead.tombstones(h.live, h.revision)
	h.live = versions{}
	h.derive()
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
			return // it is there already, which is no move
		}
		l.name, l.moves = old.name, append(old.moves, m)
	} else {
		l.name, l.moves = strings.Clone(name), []move{m} // and not a part of a larger string
	}
	if at != nil {
		h.labels, h.removed = h.labels.with(l), h.removed.without(name)
	} else {
		h.labels, h.removed = h.labels.without(name), h.removed.with(l)
	}
	h.derive()
}

// derive derives latest and current.
func (h *head) derive() {
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

// A label is a pointer and where it has been.
type label struct {
	name  string
	at    *version // nil once it was removed
	moves []move   // oldest first; never empty. Heads share the array, as with ordinals.
	set   *setting // its last move
}

// A move is one move of a label: all that grows with their number. Who made it, when and
// why is in the log, at its revision; where it came from is where the one before led.
type move struct {
	revision uint64
	to       uint32 // an ordinal, 0 for none
}

// A setting is what an error says of a label's last move: without it, a refusal would
// have to read the log.
type setting struct {
	time   time.Time
	author string
}

func (l *label) last() move { return l.moves[len(l.moves)-1] }

// numbered returns the number of the version that was saved as an ordinal, zero for 0.
func (h *head) numbered(ordinal uint32) stet.Number {
	if ordinal == 0 {
		return stet.Number{}
	}
	return h.ordinals[ordinal-1].number
}

// target returns where a label of h is, zero for nowhere. l may be nil.
func (h *head) target(l *label) stet.Number {
	if l == nil {
		return stet.Number{}
	}
	return h.numbered(l.last().to)
}

// targetBefore returns where a label of h was before its i-th move, zero for nowhere.
func (h *head) targetBefore(l *label, i int) stet.Number {
	if i == 0 {
		return stet.Number{}
	}
	return h.numbered(l.moves[i-1].to)
}

// movesAt returns how many of the label's moves there were just after a revision.
func (l *label) movesAt(revision uint64) int {
	i, _ := slices.BinarySearchFunc(l.moves, revision, func(m move, r uint64) int {
		if m.revision <= r {
			return -1
		}
		return 1
	})
	return i
}

// targetAt returns where a label of h was just after a revision, zero for nowhere.
func (h *head) targetAt(l *label, revision uint64) stet.Number {
	return h.targetBefore(l, l.movesAt(revision))
}

// labels is an immutable set of labels in the order of their names. Up to shortLabels
// are a list, which is copied to change it; more of them turn it into a copy-on-write
// tree for good, so that no move copies a thousand labels.
type labels struct {
	list []label // while tree is nil
	tree *btree.BTreeG[*label]
}

// shortLabels is the longest list of labels that is copied to change it: less than
// 2 KiB, which is about what the path of a tree takes.
const shortLabels = 32

// linearLabels is the longest list of labels that is searched from its beginning: for a
// handful of short names that is cheaper than a binary search's branches.
const linearLabels = 8

func (s *labels) len() int {
	if s.tree != nil {
		return s.tree.Len()
	}
	return len(s.list)
}

// get returns the label of that name, or nil.
func (s *labels) get(name string) *label {
	switch {
	case s.tree != nil:
		l, _ := s.tree.Get(&label{name: name})
		return l
	case len(s.list) <= linearLabels:
		for i := range s.list {
			if s.list[i].name == name {
				return &s.list[i]
			}
		}
	default:
		if i, ok := s.find(name); ok {
			return &s.list[i]
		}
	}
	return nil
}

// find returns where in the list the label is, or where it belongs.
func (s *labels) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.list, name, func(l label, name string) int { return strings.Compare(l.name, name) })
}

// all yields the labels by name.
func (s *labels) all() iter.Seq[*label] {
	return func(yield func(*label) bool) {
		if s.tree != nil {
			s.tree.Scan(yield)
			return
		}
		for i := range s.list {
			if !yield(&s.list[i]) {
				return
			}
		}
	}
}

// with returns s and l, in the place of one of its name.
func (s labels) with(l label) labels {
	i, found := 0, false
	if s.tree == nil {
		i, found = s.find(l.name)
		if !found && len(s.list) >= shortLabels {
			s = s.asTree()
		}
	}
	if s.tree != nil {
		tree := s.tree.IsoCopy()
		tree.Set(&l)
		return labels{tree: tree}
	}
	list := make([]label, 0, len(s.list)+1)
	list = append(append(list, s.list[:i]...), l)
	if found {
		i++
	}
	return labels{list: append(list, s.list[i:]...)}
}

// without returns s less the label of that name.
func (s labels) without(name string) labels {
	if s.tree != nil {
		tree := s.tree.IsoCopy()
		tree.Delete(&label{name: name})
		return labels{tree: tree}
	}
	i, found := s.find(name)
	if !found {
		return s
	}
	return labels{list: slices.Delete(slices.Clone(s.list), i, i+1)}
}

func (s labels) asTree() labels {
	tree := btree.NewBTreeGOptions(func(a, b *label) bool { return a.name < b.name }, btree.Options{NoLocks: true, Degree: 8})
	for i := range s.list {
		tree.Load(&s.list[i])
	}
	return labels{tree: tree}
}

// differentLabel says how the labels of two heads of one prompt differ, "" for not at
// all.
func differentLabel(a, b *head) string {
	for i, s := range []*labels{&a.labels, &a.removed} {
		others := []*labels{&b.labels, &b.removed}[i]
		next, stop := iter.Pull(others.all())
		defer stop()
		for l := range s.all() {
			m, ok := next()
			if !ok || l.name != m.name || !slices.Equal(l.moves, m.moves) || (l.at == nil) != (m.at == nil) {
				return "the label " + l.name + " is not where it should be, or has moved otherwise"
			}
		}
	}
	return ""
}
