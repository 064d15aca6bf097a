package core

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/selector"
)

// history makes a head of so many versions, one a revision, of which delete are deleted
// and whose numbers are in order, or not.
func history(saves, deletes, contents int, shuffled bool, rnd *rand.Rand) *head {
	h := &head{id: "p"}
	revision := uint64(0)
	next := func() *stet.Change {
		revision++
		c := &stet.Change{Revision: revision}
		h = h.next(c)
		return c
	}
	order := make([]int, saves)
	for i := range order {
		order[i] = i
	}
	if shuffled {
		rnd.Shuffle(saves, func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	for i, n := range order {
		c := next()
		number := stet.NewNumber(1, uint64(n/10), uint64(n%10))
		if shuffled && n%5 == 0 {
			number, _ = stet.ParseNumber(number.String() + "-rc.1")
		}
		v := &version{number: number, revision: c.Revision, ordinal: uint32(i + 1)}
		binary.BigEndian.PutUint64(v.digest[:], uint64(rnd.IntN(contents))<<28) // some begin alike
		h.addVersion(v)
		if rnd.IntN(10) == 0 {
			h.moveLabel([]string{"production", "staging"}[rnd.IntN(2)], v, v.number, next())
		}
	}
	for range deletes {
		if v := h.live.get(h.ordinals[rnd.IntN(saves)].number); v != nil && len(h.labelsAt(v)) == 0 {
			next()
			h.removeVersion(v)
		}
	}
	return h
}

// slowly is what a selector names at a revision, found by a look at every version.
func slowly(h *head, at uint64, s selector.Selector) *version {
	var then []*version
	for _, o := range []*order{h.live.releases, h.live.prereleases, h.dead.releases, h.dead.prereleases} {
		for v := range o.down(stet.Number{}) {
			if v.revision <= at && (v.deleted == 0 || v.deleted > at) {
				then = append(then, v)
			}
		}
	}
	slices.SortFunc(then, func(a, b *version) int { return stet.CompareNumbers(b.number, a.number) })
	which := func(is func(v *version) bool) *version {
		if i := slices.IndexFunc(then, is); i >= 0 {
			return then[i]
		}
		return nil
	}
	latest := which(func(v *version) bool { return !v.number.IsPrerelease() })
	if latest == nil {
		latest = which(func(*version) bool { return true })
	}
	numbered := func(n stet.Number) *version { return which(func(v *version) bool { return v.number == n }) }
	labeled := func(name string) *version {
		if l := h.label(name); l != nil {
			return numbered(h.targetAt(l, at))
		}
		return nil
	}
	switch s.Kind() {
	case selector.KindCurrent:
		if v := labeled(stet.DefaultLabel); v != nil {
			return v
		}
		return latest
	case selector.KindLatest:
		return latest
	case selector.KindExact:
		return numbered(s.Number())
	case selector.KindLabel:
		return labeled(s.Label())
	case selector.KindOrdinal:
		return which(func(v *version) bool { return uint64(v.ordinal) == s.Ordinal() })
	case selector.KindDigest:
		var found *version
		for _, v := range then {
			switch {
			case !strings.HasPrefix(v.digest.String(), "sha256:"+s.Digest()):
			case found == nil || found.digest == v.digest && found.ordinal < v.ordinal:
				found = v
			case found.digest != v.digest:
				return nil // two contents
			}
		}
		return found
	}
	for in := range s.Range().Intervals() {
		if v := which(func(v *version) bool { return v.number.IsPrerelease() == in.Prerelease && in.Contains(v.number) }); v != nil {
			return v
		}
	}
	return nil
}

func selectorsOf(t *testing.T, h *head, rnd *rand.Rand) (all []selector.Selector) {
	t.Helper()
	n := len(h.ordinals)
	v := h.ordinals[rnd.IntN(n)]
	digest := v.digest.String()
	texts := []string{
		"", "latest", v.number.String(), "9.9.9", "production", "staging", "nowhere", "^1", "1.x", "~" + v.number.String(), ">=1.1.0-0 <1.3.0",
		"<" + v.number.String(), "<=" + v.number.String() + " || >=2", fmt.Sprint("#", 1+rnd.IntN(n)), fmt.Sprint("#", n+1), digest, digest[:15], digest[:16], "sha256:ffffffff",
	}
	for _, text := range texts {
		s, err := selector.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// A view with a survey, which finds things out once, and one without name what a look at
// every version finds, and say the same of what is not there.
func TestSurveyNamesWhatAWalkFinds(t *testing.T) {
	const seed = 15
	rnd := rand.New(rand.NewPCG(seed, 1))
	for round := range 60 {
		h := history(1+rnd.IntN(80), rnd.IntN(3)*rnd.IntN(40), 1+rnd.IntN(200), rnd.IntN(2) == 0, rnd)
		for range 8 {
			at := uint64(1 + rnd.IntN(int(h.revision)+2))
			if rnd.IntN(6) == 0 {
				at = now
			}
			plain, surveyed := h.asOf(at), h.asOf(at)
			surveyed.survey = &survey{ctx: t.Context()}
			for _, s := range append(selectorsOf(t, h, rnd), selectorsOf(t, h, rnd)...) {
				want := slowly(h, at, s)
				a, errA := plain.resolve(s)
				b, errB := surveyed.resolve(s)
				if a != want || b != want || fmt.Sprint(errA) != fmt.Sprint(errB) || (errA == nil) != (want != nil) {
					t.Fatalf("seed %d, round %d, %q at %d: %v (%v), with a survey %v (%v), and a walk finds %v", seed, round, s, at, a, errA, b, errB, want)
				}
			}
			then, _ := surveyed.versions()
			n := 0
			for range plain.all(false, stet.Number{}) {
				n++
			}
			if then.len() != n {
				t.Fatalf("seed %d, round %d, at %d: %d versions, and a walk finds %d", seed, round, at, then.len(), n)
			}
		}
	}
}

// However many references to one prompt a request has, of whatever kind and at whatever
// revision, it looks at each of the prompt's versions a few times at most.
func TestManyReferencesLookOnce(t *testing.T) {
	const saves, refs = 20_000, 1000
	for _, deletes := range []int{0, 100} {
		rnd := rand.New(rand.NewPCG(7, uint64(deletes)))
		h := history(saves, deletes, 1<<30, false, rnd)
		s := emptySnapshot()
		s.revision = h.revision
		s.tree.tree.Set(h)
		for _, at := range []uint64{now, h.revision, saves / 2, 10} {
			for _, kind := range []string{"", "latest", "number", "production", "^1", "<1.900.0", "#", "sha256"} {
				wants := make([]want, refs)
				for i := range wants {
					v := h.ordinals[rnd.IntN(min(int(at/2), saves/3))] // it was there then
					text := kind
					switch kind {
					case "number":
						text = v.number.String()
					case "#":
						text = fmt.Sprint("#", v.ordinal)
					case "sha256":
						text = content.Digest(v.digest).String()
					}
					sel, err := selector.Parse(text)
					if err != nil {
						t.Fatal(err)
					}
					wants[i] = want{"p", sel}
				}
				c := &core{}
				named, failed, err := c.resolveAll(t.Context(), s, at, wants)
				if failed == refs && named[refs-1] == nil {
					t.Errorf("%s at %d: nothing is named", kind, at)
				}
				if failed < refs && stet.CodeOf(err) != stet.CodeNotFound {
					t.Errorf("%s at %d: %v", kind, at, err)
				}
				if n := c.stats.looked.Load(); n > 4*saves {
					t.Errorf("%d references of the kind %q at %d, with %d deletes: %d looks at %d versions", refs, kind, at, deletes, n, saves)
				}
			}
		}
	}
}
