package core

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"runtime"
	"slices"

	"github.com/stet-dev/stet"
)

// A survey is what one request has found out about one prompt at one revision, so that
// its second reference to it costs no second look at each version. It is the request's
// own, and is let go before that goes on to another prompt.
type survey struct {
	ctx    context.Context
	looked int // versions that were looked at

	known bool
	then  versions // those that were alive then, once known

	digests  int        // selectors by digest that were resolved
	byDigest []*version // the newest of each digest, by digest; nil until it is worth it
}

// lookStep is how many versions are looked at in one go: some 20 µs, for which others
// may wait for the processor.
const lookStep = 1024

// look counts versions that are looked at. It lets others run now and then, and tells
// whether to go on: what comes of a survey whose context has ended is not to be used.
// A nil survey always goes on.
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

// set returns the versions of the view, if it takes no look at each of them, or if that
// is done once for a whole request.
func (w view) set() (versions, bool) {
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
		w.survey.then = versions{w.among(h.live.releases, h.dead.releases), w.among(h.live.prereleases, h.dead.prereleases)}
	}
	return w.survey.then, true
}

// among returns those of two orders that are in the view.
func (w view) among(live, dead *order) *order {
	var sides [2][]*version
	for i, o := range []*order{live, dead} {
		for v := range o.up(stet.Number{}) {
			if !w.survey.look() {
				return nil
			}
			if w.alive(v) {
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

// beginning yields versions of the view whose digest begins with whole, the newest first
// of each digest: first by a look at every version, from the second time on from an index.
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

// index returns the newest version of the view for each digest, by digest. It is not nil.
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
