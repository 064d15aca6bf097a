package peers

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet/bench/report"
)

// population is the number of prompts in each store that is read, and of entries in
// the peer's map. A power of two, as store.get wants it.
const population = 1024

// A read is a load of Gets on the memory engine.
type read struct {
	selector string
	workers  int
	versions int  // of each prompt that is read
	spread   bool // read all prompts in turn; otherwise one, by all workers
}

func (r read) String() string {
	what := fmt.Sprintf("of %s versions", humanize.Comma(int64(r.versions)))
	if r.spread {
		what = fmt.Sprintf("over %s prompts", humanize.Comma(population))
	}
	return fmt.Sprintf("memory Get %s, %s %s", r.selector, report.Count(r.workers, "goroutine"), what)
}

// memoryGets compares Get with the least that a concurrent lookup can be, see
// bareMap. Both sides hold the same number of prompts under the same ids and read
// the same ones in the same order.
//
// Reading one prompt over and over is the hardest case for the ratio, since the
// peer then never misses the cache; on two goroutines it is also the one where
// anything shared that a reader writes would show. The rows over all prompts add
// the misses.
//
// stet's side gets what a caller does: the reference is parsed at each call, and
// the context can be cancelled, as a request's can.
func memoryGets() []measure {
	var rows []measure
	// production is the default label, and staging stands for every other.
	for _, selector := range []string{"latest", "production", "staging"} {
		target := 2.3 // latest
		if selector != "latest" {
			target = 3.0 // a label
		}
		for _, workers := range []int{1, 2} {
			for _, r := range []read{
				{selector, workers, 10, false},
				{selector, workers, 100_000, false},
				{selector, workers, 10, true},
			} {
				rows = append(rows, measure{
					name: r.String(), peer: "bare xsync.Map + pointer",
					better: atMost, target: target, noAllocs: true,
					stet: r.stet, against: r.bare,
				})
			}
		}
		few, many := read{selector, 1, 10, false}, read{selector, 1, 100_000, false}
		rows = append(rows, measure{
			name: many.String(), peer: fmt.Sprintf("the same of %d", few.versions),
			// The promise is "the same"; what is allowed is what two runs
			// of one program differ by on a shared machine.
			better: atMost, target: 1.1, noAllocs: true,
			stet: many.stet, against: few.stet,
		})
	}
	return rows
}

// ids returns the ids of all prompts, and of those that are read.
func (r read) ids() (all, hot []string) {
	all = promptIDs(population)
	if r.spread {
		return all, all
	}
	return all, all[population/2 : population/2+1]
}

func (r read) load(e *env) load { return load{workers: r.workers, batch: 1000, lap: e.lap} }

// stet is the side that reads a memory store.
func (r read) stet(e *env) (side, error) {
	s, err := openMemory()
	if err != nil {
		return nil, err
	}
	e.onClose(s.close)
	all, hot := r.ids()
	for _, f := range []fill{
		{ids: hot, versions: r.versions, size: shortText},
		{ids: except(all, hot), versions: 1, size: shortText},
	} {
		if err := f.into(e.ctx, s); err != nil {
			return nil, err
		}
	}
	return r.gets(e, s, hot), nil
}

// gets is the side that reads the versions of ids in a store.
func (r read) gets(e *env, s store, ids []string) side {
	names := refs(ids, r.selector)
	return func() (sample, error) {
		l := r.load(e)
		return l.run(e.ctx, func(worker, first int) error {
			return s.get(e.ctx, names, first+worker*population/2, l.batch)
		})
	}
}

// bare is the side that reads a bareMap.
func (r read) bare(e *env) (side, error) {
	all, hot := r.ids()
	m := newBareMap(all)
	return func() (sample, error) {
		l := r.load(e)
		return l.run(e.ctx, func(worker, first int) error {
			return m.get(hot, first+worker*population/2, l.batch)
		})
	}, nil
}

// A history is a load of Saves on the memory engine, into prompts with so many
// versions.
type history struct {
	versions  int
	scattered bool // numbers in random order; otherwise the patch is bumped
}

// total is the number of versions in a store that is saved into: the same for long
// and short histories, so that the heap, and with it the garbage collector's work,
// is the same on both sides. Only how the versions spread over prompts differs.
const total = 100_000

// memorySaves compares Save into a long history with Save into short ones.
func memorySaves() []measure {
	var rows []measure
	for _, scattered := range []bool{false, true} {
		long, short := history{total, scattered}, history{100, scattered}
		name := "memory Save into a history of 100,000"
		if scattered {
			name += ", numbers in random order"
		}
		rows = append(rows, measure{
			name: name, peer: "the same into histories of 100",
			better: atMost, target: 1.5,
			stet: long.stet, against: short.stet,
		})
	}
	return rows
}

// stet is the side that saves. Each lap makes a store of its own and adds a tenth
// to its histories, so that their length stays about what the row says: 100,000 to
// 110,000, or 100 to 110. A short history gets its ten in a row, which keeps it in
// the processor's cache as the long one's end is.
func (h history) stet(e *env) (side, error) {
	f := fill{ids: promptIDs(total / h.versions), versions: h.versions, size: shortText}
	if h.scattered {
		f.number = scatter
	}
	each := h.versions / 10
	return func() (took sample, err error) {
		s, err := openMemory()
		if err != nil {
			return took, err
		}
		defer s.close()
		if err := f.into(e.ctx, s); err != nil {
			return took, err
		}
		drafts := make([]draft, total/10)
		for i := range drafts {
			drafts[i] = draft{id: f.ids[i/each], text: text(total, i, shortText)}
			if h.scattered {
				drafts[i].number = scatter(h.versions + i%each)
			}
		}
		l := load{workers: 1, batch: 10, calls: len(drafts) / 10}
		return l.run(e.ctx, func(_, first int) error {
			for _, d := range drafts[first : first+l.batch] {
				if err := s.save(e.ctx, d); err != nil {
					return err
				}
			}
			return nil
		})
	}, nil
}

// scatter is the number of the i-th version where the order is not that of saving.
// No two are equal: an odd factor permutes the numbers below a power of two. (The
// factor is 2^32 divided by the golden ratio, which spreads them evenly.)
func scatter(i int) string {
	return fmt.Sprintf("1.%d.0", uint32(i)*2654435769)
}

// except returns the elements of all that are not in some, which is a part of it.
func except(all, some []string) []string {
	left := map[string]bool{}
	for _, s := range some {
		left[s] = true
	}
	var rest []string
	for _, s := range all {
		if !left[s] {
			rest = append(rest, s)
		}
	}
	return rest
}
