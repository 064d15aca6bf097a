package core

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// ids finds the revision of a commit by its id. It remembers every id for as
// long as the log, so it must be small: 8 bytes of a hash stand for the id. Who
// finds one reads the entry and compares; ids whose hash another had before them
// are kept whole.
type ids struct {
	revisions map[uint64]uint64 // by hash
	collided  map[string]uint64

	// recent are the hashes of the ids after revision base: what the next
	// checkpoint needs.
	recent []uint64
	base   uint64
}

func newIDs() ids { return ids{revisions: make(map[uint64]uint64)} }

func hashID(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.LittleEndian.Uint64(sum[:])
}

// add notes the id of the next revision.
func (s *ids) add(id string, revision uint64) {
	h := hashID(id)
	if !s.addHash(h, revision) {
		s.collide(id, revision)
	}
}

// collide notes the id of a revision that addHash returned false for.
func (s *ids) collide(id string, revision uint64) {
	if s.collided == nil {
		s.collided = make(map[string]uint64)
	}
	s.collided[id] = revision
}

// addHash notes the hash of the id of the next revision, and tells whether it is
// the first with that hash.
func (s *ids) addHash(h, revision uint64) bool {
	s.recent = append(s.recent, h)
	if _, taken := s.revisions[h]; taken {
		return false
	}
	s.revisions[h] = revision
	return true
}

// candidates returns the revisions at which the id may be.
func (s *ids) candidates(id string) []uint64 {
	if r, ok := s.collided[id]; ok {
		return []uint64{r}
	}
	if r, ok := s.revisions[hashID(id)]; ok {
		return []uint64{r}
	}
	return nil
}

// from returns the hashes of the ids after a revision.
func (s *ids) from(revision uint64) []uint64 {
	if revision >= s.base {
		return slices.Clone(s.recent[revision-s.base:])
	}
	all := make([]uint64, s.base+uint64(len(s.recent)))
	for h, r := range s.revisions {
		all[r-1] = h
	}
	for id, r := range s.collided {
		all[r-1] = hashID(id)
	}
	return all[revision:]
}

// forget lets go of what a checkpoint at a revision has, but for its last chunk.
func (s *ids) forget(revision uint64) {
	if n := revision / idChunk * idChunk; n > s.base {
		s.recent = append([]uint64(nil), s.recent[n-s.base:]...)
		s.base = n
	}
}
