package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stet-dev/stet/driver"
)

var logAppendCases = []Case{
	logCase("info", "Info tells the kind of engine and a store id, and does not change while the log is open.", func(r *logRig) {
		before := r.log.Info()
		r.ok(before.StoreID != "" && before.Engine != "", "Info is %+v", before)
		r.ok(before.MaxEntries >= 0 && before.MaxBytes >= 0, "Info has negative limits: %+v", before)
		r.grow(3)
		r.same("Info after appends", fmt.Sprint(r.log.Info()), fmt.Sprint(before))
		other, err := r.h.OpenLog(r.ctx)
		r.must(err, "opening another")
		defer other.Close()
		r.ok(other.Info().StoreID != before.StoreID, "two stores have one id")
	}),

	logCase("empty", "A new log has no entry: Read returns none, Barrier 0.", func(r *logRig) {
		r.same("the number of entries", len(r.read(r.log, 0, 10)), 0)
		tail, err := r.log.Barrier(r.ctx)
		r.must(err, "Barrier")
		r.ok(tail == driver.Tail{}, "the tail of a new log is %+v", tail)
	}),

	logCase("append", "Append adds entries with consecutive revisions, in order.", func(r *logRig) {
		var all []driver.Entry
		most := 5
		if m := r.log.Info().MaxEntries; m > 0 {
			most = min(most, m)
		}
		for n := 1; n <= most; n++ {
			es := chain(r.tail, n, "x")
			r.append(es...)
			all = append(all, es...)
		}
		r.sameEntries("the log", r.read(r.log, 0, 1000), all)
	}),

	logCase("moved", "Append is ErrMoved, and adds nothing, unless the log's tail is the one that was given: its revision, neither lower nor higher, and its hash.", func(r *logRig) {
		all := chain(driver.Entry{}, 3, "x")
		r.append(all...)
		fork := entry(all[1], "fork", "") // as in a log that was replaced by another
		for _, m := range []struct {
			what  string
			after driver.Entry
			es    []driver.Entry
		}{
			{"the first revision", driver.Entry{}, chain(driver.Entry{}, 1, "y1")},
			{"a revision in the middle", all[0], chain(all[0], 1, "y2")},
			{"the tail's revision", all[1], chain(all[1], 1, "y3")},
			{"the tail's revision and the next", all[1], chain(all[1], 2, "y4")},
			{"a revision behind the next", entry(all[2], "y5", ""), chain(entry(all[2], "y5", ""), 1, "y6")},
			{"entries from the middle to the front", all[0], chain(all[0], 4, "y7")},
			{"what follows a tail with another hash", fork, chain(fork, 1, "y8")},
			{"what follows a tail without a hash", driver.Entry{Revision: 3}, chain(fork, 1, "y9")},
		} {
			what, es := m.what, m.es
			if m := r.log.Info().MaxEntries; m > 0 && len(es) > m {
				continue
			}
			body(&es[0], 7, "p", "must not be seen", "{}")
			err := r.try(r.log, m.after, es...)
			r.ok(errors.Is(err, driver.ErrMoved), "appending %s gives %v", what, err)
			r.gone(r.log, es[0].Bodies[0].BodyRef)
		}
		r.sameEntries("the log", r.read(r.log, 0, 1000), all)
		r.append(entry(r.tail, "z", ""))
	}),

	logCase("moved-keeps-bodies", "An append that is ErrMoved drops and clears nothing.", func(r *logRig) {
		e := entry(r.tail, "x", "")
		b := body(&e, 0, "p", "text", "{}")
		r.append(e)
		r.grow(1)
		late := entry(e, "late", "")
		late.Dropped = []driver.BodyRef{b.BodyRef}
		r.ok(errors.Is(r.try(r.log, e, late), driver.ErrMoved), "a late append is not ErrMoved")
		late.Dropped, late.Cleared = nil, true
		r.ok(errors.Is(r.try(r.log, e, late), driver.ErrMoved), "a late append is not ErrMoved")
		r.sweep()
		r.has(r.log, b)
	}),

	logCase("bytes", "Data, ID and Hash are kept byte for byte.", func(r *logRig) {
		var all []driver.Entry
		for i, note := range []string{"", "é e\u0301 漢 \U0001F600", "\u2028\u2029\u0085", `"\/`, "<b>&amp;</b>", "'; DROP TABLE log; --", "%s %d $1 ?", strings.Repeat("x", 300_000)} {
			e := entry(r.tail, fmt.Sprintf("!~%d{}'\"\\;--", i), note)
			if i == 7 && r.log.Info().MaxBytes > 0 {
				e = entry(r.tail, "z", strings.Repeat("x", min(300_000, r.log.Info().MaxBytes-500)))
			}
			r.append(e)
			all = append(all, e)
		}
		spaced := driver.Entry{Revision: r.tail.Revision + 1, ID: strings.Repeat("i", 128), Data: []byte("{ \"ops\" : [ ],\n\"a\":1.50,\"a\":1e2, \"\\u0061\":\"\\/\\u00e9\" }\n")}
		spaced.Hash[0], spaced.Hash[31] = 0, 255
		r.append(spaced)
		r.sameEntries("the log", r.read(r.log, 0, 1000), append(all, spaced))
	}),

	logCase("caller-owns", "A caller may change what it passed to Append afterwards, except slices of bytes, which neither side changes; what Read returned does not change.", func(r *logRig) {
		es := chain(r.tail, 1, "x")
		b := body(&es[0], 0, "p", "text", `{"a":1}`)
		want := es[0]
		r.append(es...)
		r.tail = want
		es[0].ID, es[0].Revision, es[0].Hash[0] = "changed", 99, es[0].Hash[0]+1
		es[0].Bodies[0] = driver.Body{}
		got := r.read(r.log, 0, 10)
		r.sameEntries("the log", got, []driver.Entry{want})
		r.has(r.log, b)
		got, err := r.log.Read(r.ctx, 0, 1)
		r.must(err, "reading")
		r.ok(len(got) == 1, "Read returns %d entries", len(got))
		before := string(got[0].Data)
		r.grow(20)
		for after := range uint64(21) {
			_, err := r.log.Read(r.ctx, after, 5)
			r.must(err, "reading")
		}
		r.sameEntries("what was read earlier", got, []driver.Entry{want})
		r.same("its data", string(got[0].Data), before)
		got[0] = driver.Entry{}
		r.sameEntries("the log, after its answer was changed", r.read(r.log, 0, 1), append([]driver.Entry{want}, chain(want, 20, "grow")...))
	}),

	logCase("limits", "MaxEntries entries are added at once, and one entry with MaxData bytes, each with any number of bodies.", func(r *logRig) {
		n := r.log.Info().MaxEntries
		if n == 0 {
			n = 1024
		}
		all := chain(r.tail, n, "x")
		for i := range all {
			body(&all[i], i%driver.MaxOps, "p", fmt.Sprint("text ", i), "{}")
		}
		r.append(all...)
		big := entry(r.tail, "big", strings.Repeat("x", driver.MaxData-150))
		for op := range driver.MaxOps {
			body(&big, op, "p", fmt.Sprint("text ", op), "{}")
		}
		r.append(big)
		r.sameEntries("the log", r.read(r.log, 0, 1000), append(all, big))
		for _, i := range []int{0, n / 2, n - 1} {
			r.has(r.log, all[i].Bodies[0])
		}
		for _, b := range big.Bodies {
			r.has(r.log, b)
		}
	}),

	logCase("context", "An append whose context is done is added or not: sending the same again finds out, and nothing is added twice.", func(r *logRig) {
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		var all []driver.Entry
		for i := range 5 {
			e := entry(r.tail, fmt.Sprint("x", i), "")
			b := body(&e, 0, "p", "text", "{}")
			first := r.log.Append(ctx, tailOf(r.tail), []driver.Entry{e})
			if first != nil {
				err := r.try(r.log, r.tail, e)
				moved := errors.Is(err, driver.ErrMoved)
				if moved && !errors.Is(first, driver.ErrNotApplied) {
					err = nil // the first attempt had its effect: the log tells below
				}
				r.must(err, "sending again what failed with %v", first)
			}
			r.tail = e
			all = append(all, e)
			r.has(r.log, b)
		}
		r.sameEntries("the log", r.read(r.log, 0, 10), all)
	}),
}
