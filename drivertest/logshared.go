package drivertest

import (
	"errors"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

var logSharedCases = []Case{
	logNeeding(NeedAnother, "shared/one-each", "Of two handles that append the same revision, exactly one succeeds; the other is ErrMoved.", func(r *logRig) {
		other, err := r.h.Another(r.ctx, r.log)
		r.must(err, "opening another handle")
		defer other.Close()
		logs := []driver.Log{r.log, other}
		r.same("the store ids", logs[1].Info().StoreID, logs[0].Info().StoreID)
		for i := range 40 {
			errs := make([]error, 2)
			es := []driver.Entry{entry(r.tail, fmt.Sprint("a", i), ""), entry(r.tail, fmt.Sprint("b", i), "")}
			for w := range es {
				body(&es[w], 0, "p", fmt.Sprint("by ", w), "{}")
			}
			times(2, func(w int) { errs[w] = r.try(logs[w], r.tail, es[w]) })
			won := 0
			if errs[0] != nil {
				won = 1
			}
			if errs[won] != nil || !errors.Is(errs[1-won], driver.ErrMoved) {
				r.fail("both appends of revision %d end with %v and %v", es[0].Revision, errs[0], errs[1])
				return
			}
			r.tail = es[won]
			for _, log := range logs {
				r.sameEntries("the tail", r.read(log, r.tail.Revision-1, 5), []driver.Entry{r.tail})
				r.has(log, es[won].Bodies[0])
			}
		}
	}),

	logNeeding(NeedAnother, "shared/interleaved", "The appends of several handles make one log, and every handle reads the same.", func(r *logRig) {
		other, err := r.h.Another(r.ctx, r.log)
		r.must(err, "opening another handle")
		defer other.Close()
		logs := []driver.Log{r.log, other}
		times(2, func(w int) {
			for n := 0; n < 25; {
				at, err := logs[w].Barrier(r.ctx)
				if err != nil {
					r.fail("Barrier: %v", err)
					return
				}
				var last driver.Entry
				if at.Revision > 0 {
					es, err := logs[w].Read(r.ctx, at.Revision-1, 1)
					if err != nil || len(es) != 1 || es[0].Hash != at.Hash {
						r.fail("reading revision %d: %d entries, %v", at.Revision, len(es), err)
						return
					}
					last = es[0]
				}
				switch err := r.try(logs[w], last, entry(last, fmt.Sprintf("%d-%d", w, n), "")); {
				case err == nil:
					n++
				case !errors.Is(err, driver.ErrMoved):
					r.fail("appending: %v", err)
					return
				}
			}
		})
		a, b := r.read(logs[0], 0, 100), r.read(logs[1], 0, 100)
		r.same("the number of entries", len(a), 50)
		r.sameEntries("what the other handle reads", b, a)
		var last driver.Entry
		ids := map[string]bool{}
		for _, e := range a {
			r.ok(!ids[e.ID], "%s is in the log twice", e.ID)
			ids[e.ID] = true
			r.ok(entry(last, e.ID, "").Hash == e.Hash, "revision %d does not follow from the one before", e.Revision)
			last = e
		}
	}),
}
