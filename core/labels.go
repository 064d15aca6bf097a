package core

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/stet-dev/stet"
)

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

// A setting is what an error says of a label's last move, so that it need not be read.
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

// place returns where a label of h is, zero for nowhere. l may be nil.
func (h *head) place(l *label) stet.Number {
	if l == nil {
		return stet.Number{}
	}
	return h.numbered(l.last().to)
}

// before returns where a label of h was before its i-th move, zero for nowhere.
func (h *head) before(l *label, i int) stet.Number {
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

// placeAt returns where a label of h was just after a revision, zero for nowhere.
func (h *head) placeAt(l *label, revision uint64) stet.Number {
	return h.before(l, l.movesAt(revision))
}

// labels is an immutable set of labels in the order of their names. Up to shortLabels
// are a list, which is copied to change it; more of them turn it into a copy-on-write
// tree for good, so that no move copies a thousand labels.
type labels struct {
	list []label // while tree is nil
	tree *btree.BTreeG[*label]
}

// shortLabels is up to how many labels are copied: less than 2 KiB, which is about what
// the path of a tree takes.
const shortLabels = 32

// linearLabels is up to how many labels are compared one after the other: at a
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

// differentLabel says how the labels of two heads of one prompt differ, "" if they do
// not.
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
