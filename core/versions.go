package core

import (
	"iter"
	"slices"
	"sync/atomic"

	"github.com/tidwall/btree"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// A version is what the index holds of one version: what selectors and commits
// need to know. It never changes, except for the cached body, and is shared by
// all heads that have it. 96 bytes.
type version struct {
	number   stet.Number
	digest   content.Digest
	revision uint64 // of the commit that saved it
	deleted  uint64 // revision of the commit that deleted it, 0 while it lives
	ordinal  uint32
	op       uint16 // index of the operation that saved it
	check    uint16 // of the seal: see sealCheck

	// body is the decoded body while it is cached.
	body atomic.Pointer[cached]
}

// tombstone returns what remains of v after the commit at revision.
func (v *version) tombstone(revision uint64) *version {
	return &version{
		number: v.number, digest: v.digest, revision: v.revision,
		deleted: revision, ordinal: v.ordinal, op: v.op, check: v.check,
	}
}

// versions is a set of versions ordered by precedence. A copy costs nothing and
// shares what neither side changes (trap 11 of docs/design.md).
//
// Releases and pre-releases are apart, so that the highest release, alone or
// within a range, is found without passing the pre-releases between.
type versions struct{ releases, prereleases *order }

// side returns the order that n belongs into.
func (s *versions) side(n stet.Number) **order {
	if n.IsPrerelease() {
		return &s.prereleases
	}
	return &s.releases
}

func (s versions) len() int { return s.releases.len() + s.prereleases.len() }

func (s versions) get(n stet.Number) *version { return (*s.side(n)).get(n) }

// latest returns the highest release, or the highest pre-release if there is no
// release, or nil.
func (s versions) latest() *version {
	if v := s.releases.max(); v != nil {
		return v
	}
	return s.prereleases.max()
}

// max returns the highest number, zero if there is none.
func (s versions) max() stet.Number {
	var high stet.Number
	for _, o := range []*order{s.releases, s.prereleases} {
		if v := o.max(); v != nil && (high.IsZero() || high.Less(v.number)) {
			high = v.number
		}
	}
	return high
}

// with returns s and v.
func (s versions) with(v *version) versions {
	o := s.side(v.number)
	*o = (*o).with(v)
	return s
}

// without returns s less the version numbered n.
func (s versions) without(n stet.Number) versions {
	o := s.side(n)
	*o = (*o).without(n)
	return s
}

// tombstones returns s and a tombstone of each of the others.
func (s versions) tombstones(others versions, revision uint64) versions {
	for _, o := range []*order{others.releases, others.prereleases} {
		for v := range o.up(stet.Number{}) {
			s = s.with(v.tombstone(revision))
		}
	}
	return s
}

// sorted returns the set of vs. It keeps vs.
func sorted(vs []*version) versions {
	split := slices.IndexFunc(vs, func(v *version) bool { return v.number.IsPrerelease() })
	if split < 0 {
		return versions{releases: newOrder(vs)}
	}
	releases := slices.Clone(vs[:split])
	var prereleases []*version
	for _, v := range vs[split:] {
		if v.number.IsPrerelease() {
			prereleases = append(prereleases, v)
		} else {
			releases = append(releases, v)
		}
	}
	return versions{newOrder(slices.Clip(releases)), newOrder(slices.Clip(prereleases))}
}

// An order is an immutable set of versions in the order of precedence. A nil one is
// empty.
//
// It is a list for as long as versions come in their order, which is nearly always:
// then a new one is appended behind the end of an array that successive orders
// share, as with head.ordinals, and by the same rule. A short list is copied to
// change it otherwise. A long one becomes a tree for good, so that no commit
// copies a long history.
type order struct {
	list []*version // while tree is nil
	tree *btree.BTreeG[*version]
}

// shortList is the longest list that is copied to change it: 512 bytes, which is less
// than the path of a tree.
const shortList = 64

func byNumber(v *version, n stet.Number) int { return stet.CompareNumbers(v.number, n) }

// newOrder returns the order of vs. It keeps vs.
func newOrder(vs []*version) *order {
	if len(vs) == 0 {
		return nil
	}
	compare := func(a, b *version) int { return stet.CompareNumbers(a.number, b.number) }
	if !slices.IsSortedFunc(vs, compare) {
		vs = slices.Clone(vs) // it may be somebody's list by ordinal
		slices.SortFunc(vs, compare)
	}
	return &order{list: slices.Clip(vs)}
}

func (o *order) len() int {
	switch {
	case o == nil:
		return 0
	case o.tree != nil:
		return o.tree.Len()
	}
	return len(o.list)
}

// max returns the highest version, or nil.
func (o *order) max() *version {
	switch {
	case o == nil || o.tree == nil && len(o.list) == 0:
		return nil
	case o.tree != nil:
		v, _ := o.tree.Max()
		return v
	}
	return o.list[len(o.list)-1]
}

// get returns the version numbered n, or nil.
func (o *order) get(n stet.Number) *version {
	top := o.max()
	if top == nil || top.number.Less(n) {
		return nil // the number that a save is to get, nearly always
	}
	if o.tree != nil {
		v, _ := o.tree.Get(&version{number: n})
		return v
	}
	if i, ok := slices.BinarySearchFunc(o.list, n, byNumber); ok {
		return o.list[i]
	}
	return nil
}

// with returns o and v, which takes the place of a version of the same number.
func (o *order) with(v *version) *order {
	top := o.max()
	switch {
	case top == nil:
		return &order{list: []*version{v}}
	case o.tree == nil && top.number.Less(v.number):
		return &order{list: append(o.list, v)}
	case o.tree == nil && len(o.list) < shortList:
		i, found := slices.BinarySearchFunc(o.list, v.number, byNumber)
		list := make([]*version, 0, len(o.list)+1)
		list = append(append(list, o.list[:i]...), v)
		if found {
			i++
		}
		return &order{list: append(list, o.list[i:]...)}
	}
	t := o.copyTree()
	t.Set(v)
	return &order{tree: t}
}

// without returns o less the version numbered n.
func (o *order) without(n stet.Number) *order {
	if o.get(n) == nil {
		return o
	}
	if o.tree == nil && len(o.list) <= shortList {
		i, _ := slices.BinarySearchFunc(o.list, n, byNumber)
		list := make([]*version, 0, len(o.list)-1)
		return &order{list: append(append(list, o.list[:i]...), o.list[i+1:]...)}
	}
	t := o.copyTree()
	t.Delete(&version{number: n})
	return &order{tree: t}
}

// copyTree returns a tree of o that may be changed.
func (o *order) copyTree() *btree.BTreeG[*version] {
	if o.tree != nil {
		return o.tree.IsoCopy()
	}
	t := btree.NewBTreeGOptions(func(a, b *version) bool { return a.number.Less(b.number) }, btree.Options{NoLocks: true})
	for _, v := range o.list {
		t.Load(v)
	}
	return t
}

// down yields the versions not above high (all, if high is zero), the highest
// first.
func (o *order) down(high stet.Number) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		switch {
		case o == nil:
		case o.tree != nil && high.IsZero():
			o.tree.Reverse(yield)
		case o.tree != nil:
			o.tree.Descend(&version{number: high}, yield)
		default:
			end := len(o.list)
			if !high.IsZero() {
				i, found := slices.BinarySearchFunc(o.list, high, byNumber)
				if end = i; found {
					end++
				}
			}
			for i := end - 1; i >= 0 && yield(o.list[i]); i-- {
			}
		}
	}
}

// up yields the versions not below low (all, if low is zero), the lowest first.
func (o *order) up(low stet.Number) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		switch {
		case o == nil:
		case o.tree != nil && low.IsZero():
			o.tree.Scan(yield)
		case o.tree != nil:
			o.tree.Ascend(&version{number: low}, yield)
		default:
			i := 0
			if !low.IsZero() {
				i, _ = slices.BinarySearchFunc(o.list, low, byNumber)
			}
			for ; i < len(o.list) && yield(o.list[i]); i++ {
			}
		}
	}
}
