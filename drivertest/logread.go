package drivertest

import (
	"fmt"

	"github.com/stet-dev/stet/driver"
)

var logReadCases = []Case{
	logCase("read/bounded", "Read returns at most limit entries after a revision, in order and without a gap; none where it is the tail, or beyond it. Fewer than limit does not mean that there are no more.", func(r *logRig) {
		all := chain(r.tail, 37, "x")
		for _, e := range all {
			r.append(e)
		}
		for after := range uint64(38) {
			for _, limit := range []int{1, 2, 5, 36, 37, 38, 1000} {
				want := all[after:]
				r.sameEntries(fmt.Sprintf("after %d by %d", after, limit), r.read(r.log, after, limit), want)
			}
		}
		for _, after := range []uint64{37, 38, 1 << 40} {
			es, err := r.log.Read(r.ctx, after, 10)
			r.must(err, "reading after the tail")
			r.same(fmt.Sprint("the number of entries after ", after), len(es), 0)
		}
	}),

	logCase("read/only-log", "Read returns what the log has, and not what only Append needs.", func(r *logRig) {
		e := entry(r.tail, "x", "")
		body(&e, 0, "p", "text", "{}")
		e.Moves = []driver.Move{{PromptID: "p", Label: "production", Version: "1.0.0"}}
		r.append(e)
		next := entry(e, "y", "")
		next.Dropped, next.Cleared = []driver.BodyRef{e.Bodies[0].BodyRef}, true
		r.append(next)
		for _, g := range r.read(r.log, 0, 10) {
			r.ok(g.Bodies == nil && g.Dropped == nil && !g.Cleared && g.Moves == nil, "revision %d has %+v", g.Revision, g)
		}
	}),

	logCase("read/barrier", "Barrier returns a revision at least as new as every append acknowledged before the call, and Read then shows every entry up to it.", func(r *logRig) {
		for i := range 30 {
			r.append(entry(r.tail, fmt.Sprint("x", i), ""))
			tail, err := r.log.Barrier(r.ctx)
			r.must(err, "Barrier")
			r.ok(tail == tailOf(r.tail), "Barrier returns %d %x after %d %x was acknowledged", tail.Revision, tail.Hash, r.tail.Revision, r.tail.Hash)
			es, err := r.log.Read(r.ctx, tail.Revision-1, 1)
			r.must(err, "reading")
			r.ok(len(es) == 1 && es[0].Hash == r.tail.Hash, "Read does not show revision %d, which Barrier has returned", tail.Revision)
		}
	}),

	logCase("read/while-appending", "Reads during appends see a prefix of the log: no gap, no entry that changes, nothing of an append without the rest of it, no entry without its bodies.", func(r *logRig) {
		const n = 40
		done := make(chan struct{})
		batch := 3
		if m := r.log.Info().MaxEntries; m > 0 {
			batch = min(batch, m)
		}
		all(func() {
			defer close(done)
			tail := r.tail
			for i := range n {
				es := chain(tail, batch, fmt.Sprint("x", i))
				for j := range es {
					body(&es[j], j, "p", es[j].ID, "{}")
				}
				if err := r.try(r.log, tail, es...); err != nil {
					r.fail("appending: %v", err)
					return
				}
				tail = es[batch-1]
			}
		}, func() {
			for last := uint64(0); !closed(done); {
				tail, err := r.log.Barrier(r.ctx)
				if err != nil || tail.Revision < last || tail.Revision%uint64(batch) != 0 {
					r.fail("Barrier returns %d after %d, %v; entries are added by %d", tail.Revision, last, err, batch)
					return
				}
				last = tail.Revision
				es, err := r.log.Read(r.ctx, 0, n*batch)
				if err != nil {
					r.fail("reading: %v", err)
					return
				}
				for i, e := range es {
					if e.Revision != uint64(i+1) {
						r.fail("entry %d is revision %d", i, e.Revision)
						return
					}
				}
				if len(es) == 0 {
					continue
				}
				e := es[len(es)-1]
				ref := driver.BodyRef{Revision: e.Revision, Op: (len(es) - 1) % batch, PromptID: "p", Version: fmt.Sprintf("%d.%d.0", e.Revision, (len(es)-1)%batch), Ordinal: e.Revision}
				if b, err := r.log.Body(r.ctx, ref); err != nil || b.Text != e.ID {
					r.fail("revision %d is in the log, and its body is %q, %v", e.Revision, b.Text, err)
					return
				}
			}
		})
	}),
}
