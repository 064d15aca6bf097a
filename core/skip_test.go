package core

import (
	"fmt"
	"testing"

	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
)

// A bump passes the numbers of deleted versions once, and not again at each save:
// it is the one writer that would be held up.
func TestBumpPastTombstones(t *testing.T) {
	h := &head{id: "p"}
	const deleted = 20_000
	for i := range uint64(deleted) {
		h.dead = h.dead.with(&version{number: number.New(1, 0, i+1), deleted: 1})
	}
	h.live = h.live.with(&version{number: number.New(1, 0, 0)})
	base := number.New(1, 0, 0)
	tx := emptySnapshot().begin()
	find := func(want number.Number) {
		t.Helper()
		n, err := tx.firstFree(h, base, number.Patch)
		if err != nil || n != want {
			t.Fatalf("the number is %s, %v, and should be %s", n, err, want)
		}
	}
	find(number.New(1, 0, deleted+1))
	tx.keep()
	h.dead = h.dead.with(&version{number: number.New(1, 0, deleted+1), deleted: 2})
	find(number.New(1, 0, deleted+2))
	if got := tx.newSkips[skipKey{"p", number.Patch}]; got.free != number.New(1, 0, deleted+2) {
		t.Errorf("what was passed is not remembered: %v", got)
	}
	// A commit that is refused has used nothing.
	tx.rollback()
	if got := tx.skips[skipKey{"p", number.Patch}]; got.free != number.New(1, 0, deleted+1) {
		t.Errorf("after a rollback %v is remembered", got)
	}
	// Another base begins there.
	base = number.New(1, 1, 0)
	find(number.New(1, 1, 1))
	// After a clear the numbers start again.
	if err := tx.apply(&prompt.Change{Revision: 3, Ops: []prompt.ChangeOp{{Clear: &prompt.Clear{}}}}, 0, nil); err != nil {
		t.Fatal(err)
	}
	h = &head{id: "p"}
	base = number.New(1, 0, 0)
	find(number.New(1, 0, 1))
	if s := fmt.Sprint(tx.skips); s != "map[]" {
		t.Errorf("after a clear %s is remembered", s)
	}
}
