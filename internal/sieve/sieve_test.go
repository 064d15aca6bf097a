package sieve_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet/internal/sieve"
)

type item struct {
	sieve.Entry[*item]
	name string
}

// TestEvict walks through the example of the paper: what was read stays, the others go
// from the oldest on, and the hand goes on where it stood.
func TestEvict(t *testing.T) {
	var l sieve.List[*item]
	items := map[string]*item{}
	add := func(names ...string) {
		for _, name := range names {
			items[name] = &item{name: name}
			l.Add(&items[name].Entry, items[name], 1)
		}
	}
	evict := func(limit int, keep *item, want string) {
		t.Helper()
		var entry *sieve.Entry[*item]
		if keep != nil {
			entry = &keep.Entry
		}
		var got []string
		for it := range l.Evict(limit, entry) {
			got = append(got, it.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("down to %d entries, %q go; want %q", limit, got, want)
		}
	}
	add("a", "b", "c", "d")
	evict(4, nil, "")
	items["a"].Touch()
	items["c"].Touch()
	evict(3, nil, "b")
	evict(2, nil, "d") // c was read, and was let off once
	add("e")
	evict(2, items["e"], "a") // behind the newest the hand begins anew
	evict(0, items["e"], "c")
	evict(0, items["e"], "") // only what is kept is left
	evict(0, nil, "e")
	if l.Len() != 0 || l.Bytes() != 0 {
		t.Errorf("the empty list has %d entries of %d bytes", l.Len(), l.Bytes())
	}
}

// TestListKeepsCount does what a cache does, and counts along.
func TestListKeepsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l sieve.List[*item]
		var in []*item
		sizes := make(map[*item]int)
		size := rapid.IntRange(1, 9)
		some := func() *item { return in[rapid.IntRange(0, len(in)-1).Draw(t, "which")] }
		remove := func(it *item) {
			in = slices.DeleteFunc(in, func(o *item) bool { return o == it })
			delete(sizes, it)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				it := &item{}
				in, sizes[it] = append(in, it), size.Draw(t, "size")
				l.Add(&it.Entry, it, sizes[it])
			},
			"": func(t *rapid.T) {
				sum := 0
				for it, n := range sizes {
					sum += n
					if !it.Listed() {
						t.Fatal("an entry is not listed")
					}
				}
				if l.Len() != len(in) || l.Bytes() != sum {
					t.Fatalf("there are %d entries of %d bytes, and it says %d of %d", len(in), sum, l.Len(), l.Bytes())
				}
			},
			"change": func(t *rapid.T) {
				if len(in) == 0 {
					return
				}
				it := some()
				switch rapid.IntRange(0, 2).Draw(t, "how") {
				case 0:
					it.Touch()
				case 1:
					sizes[it] = size.Draw(t, "size")
					l.Resize(&it.Entry, sizes[it])
				default:
					l.Remove(&it.Entry)
					l.Remove(&it.Entry) // once more does nothing
					remove(it)
				}
			},
			"evict": func(t *rapid.T) {
				var keep *item
				var entry *sieve.Entry[*item]
				if len(in) > 0 {
					keep = some()
					entry = &keep.Entry
				}
				limit := rapid.IntRange(0, 30).Draw(t, "limit")
				for it := range l.Evict(limit, entry) {
					if it == keep || it.Listed() {
						t.Fatal("it evicts what is to be kept, or does not")
					}
					remove(it)
				}
				if l.Bytes() > limit && len(in) > 1 {
					t.Fatalf("%d entries of %d bytes are left, and %d bytes are allowed", len(in), l.Bytes(), limit)
				}
			},
		})
	})
}
