package core

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/stet-dev/stet"
)

// ids finds the revision of a commit by its id. It remembers every id for as long
// as the log, so it must be small: four bytes of a hash stand for an id, and some six more
// are for finding it. What it finds are candidates, whose entries are read and compared.
type ids struct {
	n uint64 // how many there are: the ids of the revisions 1 to n

	// pages have the hashes in the order of revisions, idChunk to a page.
	pages []*[idChunk]uint32

	// slots is a hash table with open addressing, a power of two long. A slot has the
	// low 32 bits of a revision, 0 for none; the one revision in four billion whose low
	// bits are 0 is in hidden.
	slots  []uint32
	hidden []uint64
}

func newIDs() ids { return ids{slots: make([]uint32, 64)} }

func hashID(id string) uint32 {
	sum := sha256.Sum256([]byte(id))
	return binary.LittleEndian.Uint32(sum[:])
}

// add notes the id of the next revision.
func (s *ids) add(id string) { s.addHash(hashID(id)) }

// addHash notes the hash of the id of the next revision.
func (s *ids) addHash(h uint32) {
	if s.n%idChunk == 0 {
		s.pages = append(s.pages, new([idChunk]uint32))
	}
	s.pages[s.n/idChunk][s.n%idChunk] = h
	s.n++
	if s.n > uint64(len(s.slots))/4*3 {
		s.slots = make([]uint32, 2*len(s.slots))
		for r := uint64(1); r < s.n; r++ {
			s.insert(r)
		}
	}
	s.insert(s.n)
}

func (s *ids) hash(revision uint64) uint32 {
	return s.pages[(revision-1)/idChunk][(revision-1)%idChunk]
}

// home is the first slot that a hash may be in; the others follow it.
func (s *ids) home(h uint32) int { return int(uint64(h) * uint64(len(s.slots)) >> 32) }

func (s *ids) insert(revision uint64) {
	low := uint32(revision)
	if low == 0 {
		s.hidden = append(s.hidden, revision)
		return
	}
	for i := s.home(s.hash(revision)); ; i = (i + 1) & (len(s.slots) - 1) {
		if s.slots[i] == 0 {
			s.slots[i] = low
			return
		}
	}
}

// candidates returns the revisions at which the id may be.
func (s *ids) candidates(id string) []uint64 {
	h := hashID(id)
	var found []uint64
	for i := s.home(h); s.slots[i] != 0; i = (i + 1) & (len(s.slots) - 1) {
		for r := uint64(s.slots[i]); r <= s.n; r += 1 << 32 {
			if s.hash(r) == h {
				found = append(found, r)
			}
		}
	}
	for _, r := range s.hidden {
		if s.hash(r) == h {
			found = append(found, r)
		}
	}
	return found
}

// from returns the hashes of the ids after a revision.
func (s *ids) from(revision uint64) []uint32 {
	if revision >= s.n {
		return nil
	}
	hashes := make([]uint32, 0, s.n-revision)
	for r := revision + 1; r <= s.n; r++ {
		hashes = append(hashes, s.hash(r))
	}
	return hashes
}

// refusals remember the commits that were refused lately, by their ids, so that a
// duplicate that was held up on its way is refused as well, and not carried out when
// nobody waits for it any more (trap 18 of docs/design.md). Ids that the store made are left out: they do
// not come again.
type refusals struct {
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

func (s *refusals) add(r *request, err *stet.Error) {
	if s.byID == nil {
		s.byID = make(map[string]refusal)
	}
	id := strings.Clone(r.id) // and not a part of a larger string
	if _, ok := s.byID[id]; !ok {
		if len(s.order) < maxRefused {
			s.order = append(s.order, id)
		} else {
			delete(s.byID, s.order[s.next])
			s.order[s.next] = id
			s.next = (s.next + 1) % maxRefused
		}
	}
	s.byID[id] = refusal{r.fingerprint, err}
}

func (s *refusals) find(r *request) *stet.Error {
	old, ok := s.byID[r.id]
	switch {
	case !ok:
		return nil
	case old.fingerprint != r.fingerprint:
		return otherOperations(r.id, "was refused")
	}
	return old.err
}

// lost remembers the commits of appends that were given up without it being known whether
// they were applied. Decided again against the same state, such a commit may be refused,
// if the append had another commit before it on which it rests, or not be written. That
// does not mean that nothing has changed.
type lost struct {
	after   *snapshot // what the appends were to follow
	commits refusals  // with the answers that their callers got
}

// add notes a commit of an append to what is in base.
func (l *lost) add(base *snapshot, r *request) {
	if l.after != base {
		*l = lost{after: base}
	}
	l.commits.add(r, stet.AsError(r.outcome.err))
}

// find returns the answer to a commit that was decided against base and may be in the log
// after it, or nil.
func (l *lost) find(base *snapshot, r *request) error {
	if c, ok := l.commits.byID[r.id]; ok && l.after == base && c.fingerprint == r.fingerprint {
		return c.err
	}
	return nil
}

func otherOperations(id, what string) *stet.Error {
	return stet.Errorf(stet.CodeConflict, "the commit id %q was used for other operations, and that commit %s. Nothing changed. Choose a new id for a new commit.", id, what)
}
