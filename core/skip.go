package core

import (
	"maps"

	"github.com/stet-dev/stet"
)

// A skip remembers how far a bump had to go past numbers that were used: numbers
// are never used again, so the next bump from the same base may begin there. Without
// it, each save to a prompt of which 100,000 versions were deleted would try them
// all, and every writer would wait.
//
// Skips belong to the tx that found them, and pass to the next one when it is
// published. A rollback forgets them, since what they passed may not be used after
// all.
type skip struct{ base, free stet.Number }

type skipKey struct {
	id   string
	bump stet.Bump
}

const (
	// worthSkipping is how many numbers a bump tries before it is remembered.
	worthSkipping = 32
	// maxSkips bounds what is remembered; then it begins anew.
	maxSkips = 1024
)

// firstFree returns the first number that bump leads to from base, once or again and
// again, that the prompt has never used.
func (t *tx) firstFree(h *head, base stet.Number, bump stet.Bump) (stet.Number, error) {
	key := skipKey{h.id, bump}
	old, ok := t.newSkips[key]
	if !ok {
		old = t.skips[key]
	}
	n, err := base.Bump(bump)
	if old.base == base {
		n = old.free
	}
	for tried := 0; err == nil; tried++ {
		if h.used(n) == nil {
			if tried > worthSkipping || tried > 0 && old.base == base {
				if t.newSkips == nil {
					t.newSkips = make(map[skipKey]skip)
				}
				t.newSkips[key] = skip{base, n}
			}
			return n, nil
		}
		n, err = n.Bump(bump)
	}
	return stet.Number{}, err
}

// keepSkips makes what was found since the last keep final within the tx.
func (t *tx) keepSkips() {
	if len(t.newSkips) == 0 {
		return
	}
	if t.skips == nil || len(t.skips) >= maxSkips {
		t.skips = make(map[skipKey]skip)
	}
	maps.Copy(t.skips, t.newSkips)
	t.newSkips = nil
}
