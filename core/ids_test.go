package core

import (
	"fmt"
	"slices"
	"testing"
)

// Every id is found at its revision, also where another has the same hash.
func TestIDs(t *testing.T) {
	s := newIDs()
	const n = 3*idChunk + 100
	for r := uint64(1); r <= n; r++ {
		if r%100 == 0 {
			s.addHash(s.hash(r - 1))
			continue
		}
		s.add(fmt.Sprint("id-", r))
	}
	for r := uint64(1); r <= n; r++ {
		id := fmt.Sprint("id-", r)
		at := r
		if r%100 == 0 {
			id, at = fmt.Sprint("id-", r-1), r // the same hash
		}
		if !slices.Contains(s.candidates(id), at) {
			t.Fatalf("revision %d is not among the candidates for %s: %v", at, id, s.candidates(id))
		}
	}
	if found := s.candidates("another"); len(found) > 1 {
		t.Errorf("an id that is not there has the candidates %v", found)
	}
	if got := s.from(n - 2); len(got) != 2 || got[1] != s.hash(n) {
		t.Errorf("the last two hashes are %v", got)
	}
}
