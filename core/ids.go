package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// ids finds the revision of a commit by its id. It remembers every id for as
// long as the log, so it must be small: 8 bytes of a hash stand for the id. Who
// finds one reads the entry and compares; ids whose hashes collide are kept whole.
type ids struct {
	revisions map[uint64]uint64
	collided  map[string]uint64
}

func newIDs() ids { return ids{revisions: make(map[uint64]uint64)} }

func hashID(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.LittleEndian.Uint64(sum[:])
}

func (s *ids) add(id string, revision uint64) {
	h := hashID(id)
	if _, taken := s.revisions[h]; taken {
		if s.collided == nil {
			s.collided = make(map[string]uint64)
		}
		s.collided[id] = revision
		return
	}
	s.revisions[h] = revision
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
