package core

import (
	"slices"
	"sync/atomic"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// A version is what the index holds of one version: what selectors and commits
// need to know. It never changes, except for the cached record, and is shared by
// all heads that have it. 96 bytes.
type version struct {
	number   stet.Number
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
// shares what neither side changes (trap 11).
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

// sorted returns the set of vs. It takes vs over.
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
