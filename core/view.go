package core

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"math"
	"runtime"
	"slices"

	"github.com/stet-dev/stet"
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

// has reports whether v could be named in the view. A version that lived then
// but was deleted since is still named: its number is known, its text is gone.
func (w view) has(v *version) bool {
	return v.revision <= w.at && (v.deleted == 0 || v.deleted > w.at)
}

// down yields the versions of the view that are releases, or those that are
// pre-releases, not above high (zero for all), the highest first.
func (w view) down(prerelease bool, high stet.Number) iter.Seq[*version] {
	live, ok := w.versions()
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
			if w.has(v) && !yield(v) {
				return
			}
		}
	}
}

// all yields the versions of the view by precedence, beginning after a number (zero
// for the start).
func (w view) all(ascending bool, after stet.Number) iter.Seq[*version] {
	dir, before := (*order).down, func(a, b *version) bool { return b.number.Less(a.number) }
	if ascending {
		dir, before = (*order).up, func(a, b *version) bool { return a.number.Less(b.number) }
	}
	live, ok := w.versions()
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
	if then, ok := w.versions(); ok {
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
	n := w.targetAt(l, w.at)
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
		if w.has(v) {
			return v
		}
		return nil
	}
	if v := w.head.dead.get(n); v != nil && w.has(v) {
		return v
	}
	return nil
}

// A survey is what one read has found out about one prompt at one revision, so that
// its second reference to the prompt costs no second look at each version. It belongs to
// the read, which drops it before it goes on to another prompt.
type survey struct {
	ctx    context.Context
	looked int // versions that were looked at

	known bool
	alive versions // at the revision, once known

	digests  int        // selectors by digest that were resolved
	byDigest []*version // the newest of each digest, by digest; nil until it is worth it
}

// lookStep is how many versions are looked at before the processor is yielded: some
// 20 µs.
const lookStep = 1024

// look counts a version that is looked at, and now and then yields the processor. It
// returns false when the context has ended: the survey is incomplete then, and not to be
// used. A nil survey always goes on.
func (s *survey) look() bool {
	if s == nil {
		return true
	}
	if s.looked++; s.looked%lookStep != 0 {
		return true
	}
	runtime.Gosched()
	return s.ctx.Err() == nil
}

// versions returns the versions of the view, and false where that would take a look at
// each of them. With a survey it takes that look, once.
func (w view) versions() (versions, bool) {
	h := w.head
	switch {
	case w.at >= h.revision:
		return h.live, true
	case h.inOrder():
		all := h.live.releases.list
		n, _ := slices.BinarySearchFunc(all, w.at, func(v *version, at uint64) int {
			if v.revision <= at {
				return -1
			}
			return 1
		})
		if n == 0 {
			return versions{}, true
		}
		return versions{releases: &order{list: all[:n:n]}}, true
	case w.survey == nil:
		return versions{}, false
	case !w.survey.known:
		w.survey.known = true
		w.survey.alive = versions{w.among(h.live.releases, h.dead.releases), w.among(h.live.prereleases, h.dead.prereleases)}
	}
	return w.survey.alive, true
}

// among returns the versions of two orders that are in the view.
func (w view) among(live, dead *order) *order {
	var sides [2][]*version
	for i, o := range []*order{live, dead} {
		for v := range o.up(stet.Number{}) {
			if !w.survey.look() {
				return nil
			}
			if w.has(v) {
				sides[i] = append(sides[i], v)
			}
		}
	}
	a, b := sides[0], sides[1]
	if len(a) == 0 || len(b) == 0 {
		return listed(append(a, b...))
	}
	both := make([]*version, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		least := &a
		if b[0].number.Less(a[0].number) {
			least = &b
		}
		both, *least = append(both, (*least)[0]), (*least)[1:]
	}
	return listed(append(append(both, a...), b...))
}

func listed(vs []*version) *order {
	if len(vs) == 0 {
		return nil
	}
	return &order{list: slices.Clip(vs)}
}

// beginning yields versions of the view whose digest begins with the given bytes, of each
// digest the newest first. The first time it looks at every version, later in an index.
func (w view) beginning(whole []byte) iter.Seq[*version] {
	return func(yield func(*version) bool) {
		s := w.survey
		if s != nil {
			s.digests++
		}
		if s == nil || s.digests == 1 {
			for _, o := range slices.Backward(w.ordinals) {
				if !s.look() {
					return
				}
				if !bytes.HasPrefix(o.digest[:], whole) {
					continue
				}
				if v := w.byNumber(o.number); v != nil && !yield(v) {
					return
				}
			}
			return
		}
		if s.byDigest == nil {
			s.byDigest = w.index()
		}
		i, _ := slices.BinarySearchFunc(s.byDigest, whole, func(v *version, whole []byte) int {
			return bytes.Compare(v.digest[:len(whole)], whole)
		})
		for ; i < len(s.byDigest) && bytes.HasPrefix(s.byDigest[i].digest[:], whole); i++ {
			if !s.look() || !yield(s.byDigest[i]) {
				return
			}
		}
	}
}

// index returns the newest version of the view for each digest, ordered by digest. It is
// never nil.
func (w view) index() []*version {
	all := make([]*version, 0, len(w.ordinals))
	for _, o := range slices.Backward(w.ordinals) {
		if !w.survey.look() {
			break
		}
		if v := w.byNumber(o.number); v != nil {
			all = append(all, v)
		}
	}
	n := 0
	slices.SortFunc(all, func(a, b *version) int {
		if n++; n%lookStep == 0 {
			runtime.Gosched()
		}
		return cmp.Or(bytes.Compare(a.digest[:], b.digest[:]), cmp.Compare(b.ordinal, a.ordinal))
	})
	return slices.CompactFunc(all, func(a, b *version) bool { return a.digest == b.digest })
}
