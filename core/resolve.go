package core

import (
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/near"
	"github.com/stet-dev/stet/internal/selector"
)

// now is the at of a view of the present.
const now = math.MaxUint64

// A view is a head as it was just after revision at.
type view struct {
	*head
	at     uint64
	survey *survey // of a request that asks more than once, or nil
}

// asOf returns the view of h at a revision.
func (h *head) asOf(at uint64) view { return view{head: h, at: at} }

// alive tells whether v could be named in the view. A version that lived then
// but was deleted since is still named: its number is known, its text is gone.
func (w view) alive(v *version) bool {
	return v.revision <= w.at && (v.deleted == 0 || v.deleted > w.at)
}

// down yields the versions of the view that are releases, or those that are
// pre-releases, not above high (zero for all), the highest first.
func (w view) down(prerelease bool, high stet.Number) iter.Seq[*version] {
	live, ok := w.set()
	dead := versions{}
	if !ok {
		live, dead = w.head.live, w.head.dead
	}
	a, b := live.releases, dead.releases
	if prerelease {
		a, b = live.prereleases, dead.prereleases
	}
	if ok {
		return a.down(high)
	}
	return w.filter(merge(a.down(high), b.down(high), func(a, b *version) bool { return b.number.Less(a.number) }))
}

func (w view) filter(seq iter.Seq[*version]) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		for v := range seq {
			if w.alive(v) && !yield(v) {
				return
			}
		}
	}
}

// all yields the versions of the view by precedence, from after one number
// (zero for the start) on.
func (w view) all(ascending bool, after stet.Number) iter.Seq[*version] {
	dir, before := (*order).down, func(a, b *version) bool { return b.number.Less(a.number) }
	if ascending {
		dir, before = (*order).up, func(a, b *version) bool { return a.number.Less(b.number) }
	}
	live, ok := w.set()
	if !ok {
		live = w.head.live
	}
	seq := merge(dir(live.releases, after), dir(live.prereleases, after), before)
	if !ok {
		dead := merge(dir(w.head.dead.releases, after), dir(w.head.dead.prereleases, after), before)
		seq = w.filter(merge(seq, dead, before))
	}
	return func(yield func(*version) bool) {
		for v := range seq {
			if v.number != after && !yield(v) {
				return
			}
		}
	}
}

// merge yields what two ordered sequences yield, in order.
func merge(a, b iter.Seq[*version], before func(a, b *version) bool) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		next, stop := iter.Pull(b)
		defer stop()
		y, ok := next()
		for x := range a {
			for ok && before(y, x) {
				if !yield(y) {
					return
				}
				y, ok = next()
			}
			if !yield(x) {
				return
			}
		}
		for ok {
			if !yield(y) {
				return
			}
			y, ok = next()
		}
	}
}

func first(seq iter.Seq[*version]) *version {
	for v := range seq {
		return v
	}
	return nil
}

func (w view) latest() *version {
	if then, ok := w.set(); ok {
		return then.latest()
	}
	if v := first(w.down(false, stet.Number{})); v != nil {
		return v
	}
	return first(w.down(true, stet.Number{}))
}

// labeled returns the version that a label pointed at, or nil.
func (w view) labeled(name string) *version {
	l := w.head.label(name)
	if l == nil {
		return nil
	}
	if w.at == now {
		return l.at
	}
	n := w.placeAt(l, w.at)
	if n.IsZero() {
		return nil
	}
	return w.head.used(n)
}

// everLabels yields the labels that were ever set: first those that are on a version now.
func (w view) everLabels() iter.Seq[*label] {
	return func(yield func(*label) bool) {
		for l := range w.labels.all() {
			if !yield(l) {
				return
			}
		}
		for l := range w.removed.all() {
			if !yield(l) {
				return
			}
		}
	}
}

func (w view) byNumber(n stet.Number) *version {
	if v := w.head.live.get(n); v != nil {
		if w.alive(v) {
			return v
		}
		return nil
	}
	if v := w.head.dead.get(n); v != nil && w.alive(v) {
		return v
	}
	return nil
}

// resolve returns the version that a selector names in the view, or a not_found
// that says what there is instead.
func (w view) resolve(s selector.Selector) (*version, error) {
	switch s.Kind() {
	case selector.KindCurrent:
		if v := w.labeled(stet.DefaultLabel); v != nil {
			return v, nil
		}
		if v := w.latest(); v != nil {
			return v, nil
		}
		return nil, w.noVersions()
	case selector.KindLatest:
		if v := w.latest(); v != nil {
			return v, nil
		}
		return nil, w.noVersions()
	case selector.KindExact:
		if v := w.byNumber(s.Number()); v != nil {
			return v, nil
		}
		return nil, w.noNumber(s.Number())
	case selector.KindLabel:
		if v := w.labeled(s.Label()); v != nil {
			return v, nil
		}
		return nil, w.noLabel(s.Label())
	case selector.KindOrdinal:
		if n := s.Ordinal(); n <= uint64(len(w.ordinals)) {
			once := w.ordinals[n-1]
			if v := w.byNumber(once.number); v != nil {
				return v, nil
			}
			return nil, w.noNumber(once.number)
		}
		return nil, stet.Errorf(stet.CodeNotFound, "%s has no version #%d: %d were saved. See: stet log %s", w.id, s.Ordinal(), len(w.ordinals), w.id)
	case selector.KindDigest:
		return w.byDigest(s.Digest())
	}
	r := s.Range()
	for in := range r.Intervals() {
		for v := range w.down(in.Prerelease, in.High) {
			if in.Contains(v.number) {
				return v, nil
			}
			if v.number.Less(in.Low) {
				break
			}
		}
	}
	return nil, w.noMatch(s)
}

// byDigest returns the version whose digest begins with the given hex digits. If
// several do with one content, that is the newest of them; with two contents it
// is an error. It looks at every version of the prompt, once or twice for a survey.
func (w view) byDigest(prefix string) (*version, error) {
	whole, _ := hex.DecodeString(prefix[:len(prefix)&^1])
	var found, other *version
	for v := range w.beginning(whole) {
		switch {
		case len(prefix)&1 == 1 && !strings.HasPrefix(hex.EncodeToString(v.digest[:]), prefix):
		case found == nil || found.digest == v.digest && found.ordinal < v.ordinal:
			found = v
		case found.digest == v.digest:
		case found.ordinal < v.ordinal:
			found, other = v, found
		case other == nil || other.ordinal < v.ordinal:
			other = v
		}
	}
	if other != nil {
		return nil, stet.Errorf(stet.CodeConflict, "sha256:%s means two contents of %s: %s (%s) and %s (%s). Write more digits.",
			prefix, w.id, other.number, other.digest, found.number, found.digest)
	}
	if found == nil {
		return nil, stet.Errorf(stet.CodeNotFound, "%s has no version with a digest that begins with sha256:%s. See: stet log %s", w.id, prefix, w.id)
	}
	return found, nil
}

func (w view) noVersions() error {
	if n := len(w.ordinals); n > 0 && w.at == now {
		return stet.Errorf(stet.CodeNotFound, "every version of %s was deleted; %s was the highest.", w.id, w.highestUsed())
	}
	return noPrompt(w.id, w.at)
}

func noPrompt(id string, at uint64) error {
	if at != now {
		return stet.Errorf(stet.CodeNotFound, "there was no prompt %q at revision %d.", id, at)
	}
	return stet.Errorf(stet.CodeNotFound, "there is no prompt %q. See: stet list", id)
}

// noPrompt is the error of a prompt that the snapshot does not have, with what may have
// been meant: the id that it is if %2F stands for /, or else the nearest of those that
// sort next to it.
func (s *snapshot) noPrompt(id string, at uint64) error {
	if at != now {
		return noPrompt(id, at)
	}
	meant := strings.NewReplacer("%2F", "/", "%2f", "/").Replace(id)
	if h := s.tree.get(meant); h == nil || h.latest == nil {
		meant = near.Closest(id, s.beside(id))
	}
	if meant == "" || meant == id { // saved just now
		return noPrompt(id, at)
	}
	hint := &near.Hint{Name: meant}
	return stet.WrapError(hint, stet.CodeNotFound, "there is no prompt %q.%s See: stet list", id, hint)
}

// beside yields the ids next to one, as many before it as behind it.
func (s *snapshot) beside(id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, walk := range []func(*head, func(*head) bool){s.tree.tree.Descend, s.tree.tree.Ascend} {
			left, on := near.Most/2, true
			walk(&head{id: id}, func(h *head) bool {
				left--
				on = h.latest == nil || yield(h.id)
				return on && left > 0
			})
			if !on {
				return
			}
		}
	}
}

func (w view) noNumber(n stet.Number) error {
	latest := w.latest()
	switch v := w.used(n); {
	case v != nil && v.deleted != 0 && v.deleted <= w.at:
		return stet.Errorf(stet.CodeNotFound, "%s@%s was deleted at revision %d.%s", w.id, n, v.deleted, w.instead())
	case v != nil && v.revision > w.at:
		return stet.Errorf(stet.CodeNotFound, "%s@%s was saved at revision %d, after revision %d.", w.id, n, v.revision, w.at)
	case latest == nil:
		return w.noVersions()
	}
	return stet.Errorf(stet.CodeNotFound, "%s has no version %s.%s", w.id, n, w.instead())
}

// instead says what a caller may have meant.
func (w view) instead() string {
	v := w.latest()
	if v == nil {
		return " No version of it is left."
	}
	return fmt.Sprintf(" Its latest is %s. See: stet log %s", v.number, w.id)
}

func (w view) noMatch(s selector.Selector) error {
	v := w.latest()
	if v == nil {
		return w.noVersions()
	}
	hint := ""
	if v.number.IsPrerelease() {
		hint = " Pre-releases match only a range that names one."
	}
	return stet.Errorf(stet.CodeNotFound, "%s has no version in the range %q.%s%s", w.id, s, hint, w.instead())
}

// maxNamed is how many labels an error lists: enough for every prompt that a
// person keeps, and still a sentence.
const maxNamed = 10

func (w view) noLabel(name string) error {
	if w.latest() == nil {
		return w.noVersions()
	}
	var there []string
	more := 0
	for name := range w.labelNames() {
		if len(there) < maxNamed {
			there = append(there, fmt.Sprintf("%s → %s", name, w.labeled(name).number))
		} else {
			more++
		}
	}
	list := "It has no labels."
	if len(there) > 0 {
		list = "Labels: " + strings.Join(there, ", ") + "."
	}
	if more > 0 {
		list = fmt.Sprintf("%s and %d more.", strings.TrimSuffix(list, "."), more)
	}
	if meant := near.Closest(name, w.labelNames()); meant != "" {
		list += " Did you mean " + meant + "?"
	}
	if l := w.head.label(name); l != nil && w.at == now {
		return stet.Errorf(stet.CodeNotFound, "%s has no label %q since revision %d. %s", w.id, name, l.last().revision, list)
	}
	return stet.Errorf(stet.CodeNotFound, "%s has no label %q. %s", w.id, name, list)
}

// labelNames yields the labels that are on a version.
func (w view) labelNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		all := w.labels.all()
		if w.at != now {
			all = w.everLabels()
		}
		for l := range all {
			if w.labeled(l.name) != nil && !yield(l.name) {
				return
			}
		}
	}
}
