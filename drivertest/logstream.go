package drivertest

import (
	"errors"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

var logStreamCases = []Case{
	streamCase("append", "AppendStream adds the entries of all chunks, with their bodies; they stand in the log as those of Append.", func(r *streamRig) {
		r.grow(1)
		es := chain(r.tail, 6, "x")
		var bodies []driver.Body
		for i := range es {
			bodies = append(bodies, body(&es[i], i, "p", fmt.Sprint("text ", i), `{"a":1}`))
		}
		r.must(r.stream(es[:1], es[1:4], es[4:]), "appending three chunks")
		r.tail = es[5]
		r.grow(1)
		r.sameEntries("the log", r.read(r.log, 1, 1000)[:6], es)
		for _, b := range bodies {
			r.has(r.log, b)
		}
	}),

	streamCase("unseen", "While AppendStream takes chunks nothing of it is seen, and nobody who reads waits for it.", func(r *streamRig) {
		r.grow(2)
		before := r.read(r.log, 0, 1000)
		es := chain(r.tail, 3, "x")
		b := body(&es[0], 0, "p", "text", "{}")
		looks := 0
		look := func() {
			looks++
			r.sameEntries("the log, in the middle of an append", r.read(r.log, 0, 1000), before)
			r.gone(r.log, b.BodyRef)
		}
		r.must(r.log.(driver.Streamer).AppendStream(r.ctx, tailOf(r.tail), func(yield func([]driver.Entry) bool) {
			for i := range es {
				if !yield(es[i : i+1]) {
					return
				}
				look()
			}
		}), "appending three chunks")
		r.same("the number of looks", looks, len(es))
		r.sameEntries("the log", r.read(r.log, 0, 1000), append(before, es...))
		r.has(r.log, b)
	}),

	streamCase("none", "An AppendStream that is ErrMoved, or fails after a chunk, adds none of them.", func(r *streamRig) {
		r.grow(2)
		es := chain(r.tail, 4, "x")
		b := body(&es[0], 0, "p", "text", "{}")
		before := r.read(r.log, 0, 1000)
		last := r.tail
		r.tail = before[0]
		err := r.stream(es[:2], es[2:])
		r.ok(errors.Is(err, driver.ErrMoved), "appending behind an entry that is not the last gives %v", err)
		r.tail = last
		err = r.stream(es[:2], es[3:])
		r.ok(err != nil && !errors.Is(err, driver.ErrMoved), "appending chunks with a gap between them gives %v", err)
		r.ok(errors.Is(err, driver.ErrNotApplied), "it is not said that nothing was added, but %v", err)
		r.gone(r.log, b.BodyRef)
		r.sameEntries("the log", r.read(r.log, 0, 1000), before)
		r.must(r.stream(es[:1], es[1:]), "appending the same once more")
		r.has(r.log, b)
	}),

	streamCase("drop", "An entry drops and clears what a chunk before it has brought.", func(r *streamRig) {
		es := chain(r.tail, 5, "x")
		dropped := body(&es[0], 0, "p", "dropped", "{}")
		kept := body(&es[0], 1, "p", "kept", "{}")
		es[1].Dropped = []driver.BodyRef{dropped.BodyRef}
		r.must(r.stream(es[:1], es[1:2]), "appending two chunks")
		r.tail = es[1]
		r.sweep()
		r.gone(r.log, dropped.BodyRef)
		r.has(r.log, kept)
		cleared := body(&es[2], 0, "p", "cleared", "{}")
		es[3].Cleared = true
		after := body(&es[4], 0, "p", "after", "{}")
		r.must(r.stream(es[2:3], es[3:4], es[4:]), "appending three chunks")
		r.sweep()
		r.gone(r.log, kept.BodyRef)
		r.gone(r.log, cleared.BodyRef)
		r.has(r.log, after)
	}),
}

// A streamRig is what a case of a driver.Streamer works with.
type streamRig struct{ *logRig }

// streamCase makes a case of a function over a new, empty log. A log that is no
// driver.Streamer need not follow its rules.
func streamCase(name, rule string, f func(r *streamRig)) Case {
	return logCase("stream/"+name, rule, func(r *logRig) {
		if _, ok := r.log.(driver.Streamer); ok {
			f(&streamRig{r})
		}
	})
}

// stream appends chunks behind the tail.
func (r *streamRig) stream(chunks ...[]driver.Entry) error {
	return r.log.(driver.Streamer).AppendStream(r.ctx, tailOf(r.tail), func(yield func([]driver.Entry) bool) {
		for _, c := range chunks {
			if !yield(c) {
				return
			}
		}
	})
}
