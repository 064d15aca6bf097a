package core

import (
	"iter"
	"sync/atomic"

	"github.com/tidwall/btree"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/number"
)

// A version is what the index holds of one version: what selectors and commits
// need to know. It never changes, except for the cached record, and is shared by
// all heads that have it. 96 bytes.
type version struct {
	number   number.Number
	digest   content.Digest
	revision uint64 // of the commit that saved it
	deleted  uint64 // revision of the commit that deleted it, 0 while it lives
	ordinal  uint32
	op       uint16 // index of the operation that saved it
	check    uint16 // of the seal, where there is room for no more: see sealCheck

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
// shares what neither side changes, so that a commit copies a path of a tree and
// not the history (trap 11).
//
// Releases and pre-releases have a tree each, so that the highest release, alone
// or within a range, is found without passing the pre-releases between.
type versions struct{ releases, prereleases *tree }

type tree = btree.BTreeG[*version]

// degree is small because most prompts have some tens of versions: one leaf.
const degree = 16

func newTree() *tree {
	return btree.NewBTreeGOptions(func(a, b *version) bool {
		return number.Compare(a.number, b.number) < 0
	}, btree.Options{NoLocks: true, Degree: degree})
}

// side returns the tree that n belongs into; it may be nil.
func (s *versions) side(n number.Number) **tree {
	if n.IsPrerelease() {
		return &s.prereleases
	}
	return &s.releases
}

func size(t *tree) int {
	if t == nil {
		return 0
	}
	return t.Len()
}

func highest(t *tree) *version {
	if t == nil {
		return nil
	}
	v, _ := t.Max()
	return v
}

func (s versions) len() int { return size(s.releases) + size(s.prereleases) }

func (s versions) get(n number.Number) *version {
	t := *s.side(n)
	if top := highest(t); top == nil || top.number.Less(n) {
		return nil // the number that a save is to get, nearly always
	}
	v, _ := t.Get(&version{number: n})
	return v
}

// latest returns the highest release, or the highest pre-release if there is no
// release, or nil.
func (s versions) latest() *version {
	if v := highest(s.releases); v != nil {
		return v
	}
	return highest(s.prereleases)
}

// max returns the highest number, zero if there is none.
func (s versions) max() number.Number {
	var high number.Number
	for _, t := range []*tree{s.releases, s.prereleases} {
		if v := highest(t); v != nil && (high.IsZero() || high.Less(v.number)) {
			high = v.number
		}
	}
	return high
}

// with returns s and v.
func (s versions) with(v *version) versions {
	t := s.side(v.number)
	if *t == nil {
		*t = newTree()
	} else {
		*t = (*t).IsoCopy()
	}
	(*t).Set(v)
	return s
}

// load adds v to a set that nobody else has yet. It is fast if v is the highest.
func (s *versions) load(v *version) {
	t := s.side(v.number)
	if *t == nil {
		*t = newTree()
	}
	(*t).Load(v)
}

// without returns s less the version numbered n.
func (s versions) without(n number.Number) versions {
	if t := s.side(n); *t != nil {
		*t = (*t).IsoCopy()
		(*t).Delete(&version{number: n})
	}
	return s
}

// tombstones returns s and a tombstone of each of the others.
func (s versions) tombstones(others versions, revision uint64) versions {
	for _, t := range []*tree{others.releases, others.prereleases} {
		if size(t) == 0 {
			continue
		}
		first, _ := t.Min()
		into := s.side(first.number)
		if *into == nil {
			*into = newTree()
		} else {
			*into = (*into).IsoCopy()
		}
		t.Scan(func(v *version) bool {
			(*into).Set(v.tombstone(revision))
			return true
		})
	}
	return s
}

// down yields the versions of a tree not above high (all, if high is zero), the
// highest first.
func down(t *tree, high number.Number) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		switch {
		case t == nil:
		case high.IsZero():
			t.Reverse(yield)
		default:
			t.Descend(&version{number: high}, yield)
		}
	}
}

// up yields the versions of a tree not below low, the lowest first.
func up(t *tree, low number.Number) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		switch {
		case t == nil:
		case low.IsZero():
			t.Scan(yield)
		default:
			t.Ascend(&version{number: low}, yield)
		}
	}
}
