package core

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet"
)

// Versions that come in any order, and go, are found and listed as in a sorted
// list; what an older head has stays as it was.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type state struct {
			o    *order
			want []stet.Number
		}
		s := state{}
		var old []state
		next := uint64(1)
		steps := rapid.SliceOfN(rapid.IntRange(0, 11), 1, 300).Draw(t, "steps")
		for _, step := range steps {
			var n stet.Number
			switch {
			case step < 8 || len(s.want) == 0: // the highest yet
				next += 2
				n = stet.NewNumber(1, next, 0)
			case step < 10: // one between
				n = stet.NewNumber(1, rapid.Uint64Range(0, next).Draw(t, "minor"), 0)
			default:
				n = s.want[rapid.IntRange(0, len(s.want)-1).Draw(t, "gone")]
				s.o = s.o.without(n)
				i := slices.Index(s.want, n)
				s.want = slices.Delete(slices.Clone(s.want), i, i+1)
				old = append(old, s)
				continue
			}
			i, found := slices.BinarySearchFunc(s.want, n, stet.CompareNumbers)
			s.o = s.o.with(&version{number: n})
			if !found {
				s.want = slices.Insert(slices.Clone(s.want), i, n)
			}
			old = append(old, s)
		}
		for _, s := range append(old, s) {
			checkOrder(t, s.o, s.want)
		}
		numbers := make([]*version, 0, len(s.want))
		for v := range s.o.down(stet.Number{}) {
			numbers = append(numbers, v)
		}
		checkOrder(t, newOrder(numbers), s.want)
	})
}

func checkOrder(t *rapid.T, o *order, want []stet.Number) {
	list := func(seq func(func(*version) bool)) (got []stet.Number) {
		for v := range seq {
			got = append(got, v.number)
		}
		return got
	}
	down := slices.Clone(want)
	slices.Reverse(down)
	if got := list(o.up(stet.Number{})); !slices.Equal(got, want) {
		t.Fatalf("up gives %v, and should %v", got, want)
	}
	if got := list(o.down(stet.Number{})); !slices.Equal(got, down) {
		t.Fatalf("down gives %v, and should %v", got, down)
	}
	if o.len() != len(want) {
		t.Fatalf("the length is %d, and should be %d", o.len(), len(want))
	}
	if len(want) == 0 {
		return
	}
	if o.max().number != want[len(want)-1] {
		t.Fatalf("the highest is %s, and should be %s", o.max().number, want[len(want)-1])
	}
	from := stet.NewNumber(1, rapid.Uint64Range(0, 700).Draw(t, "from"), 0)
	i, found := slices.BinarySearchFunc(want, from, stet.CompareNumbers)
	if (o.get(from) != nil) != found {
		t.Fatalf("%s is there: %v, and should be: %v", from, !found, found)
	}
	if got := list(o.up(from)); !slices.Equal(got, want[i:]) {
		t.Fatalf("up from %s gives %v, and should %v", from, got, want[i:])
	}
	if found {
		i++
	}
	if got := list(o.down(from)); !slices.Equal(got, down[len(down)-i:]) {
		t.Fatalf("down from %s gives %v, and should %v", from, got, down[len(down)-i:])
	}
}
