package core

import (
	"testing"

	"github.com/stet-dev/stet"
)

// A bump passes the numbers of deleted versions once, and not again at each save:
// it is the one writer that would be held up.
func TestBumpPastTombstones(t *testing.T) {
	h := &head{id: "p"}
	const deleted = 20_000
	for i := range uint64(deleted) {
		h.dead = h.dead.with(&version{number: stet.NewNumber(1, 0, i+1), deleted: 1})
	}
	h.live = h.live.with(&version{number: stet.NewNumber(1, 0, 0)})
	base := stet.NewNumber(1, 0, 0)
	tx := emptySnapshot().begin()
	find := func(want stet.Number) {
		t.Helper()
		n, err := tx.firstFree(h, base, stet.BumpPatch)
		if err != nil || n != want {
			t.Fatalf("the number is %s, %v, and should be %s", n, err, want)
		}
	}
	find(stet.NewNumber(1, 0, deleted+1))
	tx.keep()
	h.dead = h.dead.with(&version{number: stet.NewNumber(1, 0, deleted+1), deleted: 2})
	find(stet.NewNumber(1, 0, deleted+2))
	if got := tx.newHints[hintKey{1, "p", stet.BumpPatch}]; got.free != stet.NewNumber(1, 0, deleted+2) {
		t.Errorf("there is no hint: %v", got)
	}
	// A commit that is refused has used nothing.
	tx.rollback()
	if got := tx.hints[hintKey{1, "p", stet.BumpPatch}]; got.free != stet.NewNumber(1, 0, deleted+1) {
		t.Errorf("after a rollback %v is the hint", got)
	}
	// Another base begins there.
	base = stet.NewNumber(1, 1, 0)
	find(stet.NewNumber(1, 1, 1))
	// After a clear the numbers start again.
	if err := tx.apply(&stet.Change{Revision: 3, Ops: []stet.ChangeOp{{Clear: &stet.Clear{}}}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	h = &head{id: "p"}
	base = stet.NewNumber(1, 0, 0)
	find(stet.NewNumber(1, 0, 1))
}
