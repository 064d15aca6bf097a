package drivertest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A timetable has the times of commits, by revision, as answers have told them. The
// store chooses them; but a revision has one, whatever order the calls are put into.
// So they are no part of the model's state: they are taken from the whole history
// first.
type timetable map[uint64]time.Time

// timetable collects what the answers tell, which must agree: a revision has one time,
// and times do not go back.
func (h *History) timetable() (timetable, error) {
	when := timetable{}
	if h.Blind {
		return when, nil
	}
	for i := range h.Events {
		if err := when.learn(&h.Events[i].Answer); err != nil {
			return nil, err
		}
	}
	var last time.Time
	for _, rev := range slices.Sorted(maps.Keys(when)) {
		if when[rev].Before(last) {
			return nil, fmt.Errorf("revision %d is of %s, and one before it of %s", rev, when[rev], last)
		}
		last = when[rev]
	}
	return when, nil
}

func (t timetable) learn(a *Answer) error {
	for _, s := range a.Stamps {
		if old, ok := t[s.Revision]; ok && !old.Equal(s.Time) {
			return fmt.Errorf("revision %d is told to be of %s and of %s", s.Revision, old, s.Time)
		}
		t[s.Revision] = s.Time
	}
	return nil
}

// end is the revision up to which no time is missing.
func (t timetable) end() uint64 {
	at := uint64(0)
	for _, ok := t[at+1]; ok; _, ok = t[at+1] {
		at++
	}
	return at
}

// resolve returns a call as the model is asked it, which knows no time: a read at a
// time as one at the last revision up to the newest that is not later. Where the time
// of a commit is not known, because its outcome is not, that is each revision that it
// can be, as times do not go back; the right one is among them.
func (t timetable) resolve(c *Call, newest uint64) []Call {
	if c.Time.IsZero() {
		return []Call{*c}
	}
	var calls []Call
	for at := newest; ; at-- {
		then, known := t[at]
		if known && then.After(c.Time) {
			calls = nil // nor is any after it
			continue
		}
		asked := *c
		asked.At = at
		if calls = append(calls, asked); known || at == 0 {
			return calls
		}
	}
}
