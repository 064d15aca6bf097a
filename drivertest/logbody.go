package drivertest

import (
	"fmt"
	"strings"

	"github.com/stet-dev/stet/driver"
)

var logBodyCases = []Case{
	logCase("body/bytes", "A body is kept byte for byte, with what names it.", func(r *logRig) {
		e := entry(r.tail, "x", "")
		texts := []string{
			"text", " \t\r\n text \r\n", "\ufeffbom", "\ufffd replacement", "\uffff\ufdd0 not characters", "e\u0301 é", "\u202e rtl \u200b", "'; DROP TABLE bodies; --", `\x00 \0 %00 \u0000`,
			"\x01\x02\x1b[31m\x7f", "{\"a\":1}", "null", "0", "\U0010FFFF", strings.Repeat("x", 1<<20), strings.Repeat("漢", 349_000), strings.Repeat("\"\\", 1<<19), " ",
		}
		var bodies []driver.Body
		for i, t := range texts {
			fields := `{"created_at":"2026-01-02T03:04:05.000000Z"}`
			if i%2 == 1 {
				fields = "{ \"a\" : 1.50 , \"a\":\"\\u00e9\\/\" }\n"
			}
			bodies = append(bodies, body(&e, i*50, strings.Repeat("漢/", i)+"p q", t, fields))
		}
		bodies = append(bodies, body(&e, driver.MaxOps-1, "p", "x", "{}"))
		big := strings.Repeat("f", 256<<10)
		bodies = append(bodies, body(&e, 998, "p", "x", `{"metadata":"`+big+`"}`))
		r.append(e)
		for _, b := range bodies {
			r.has(r.log, b)
		}
		r.grow(3)
		for _, b := range bodies {
			r.has(r.log, b)
		}
	}),

	logCase("body/batch", "Every entry of an append brings its bodies.", func(r *logRig) {
		n := 10
		if m := r.log.Info().MaxEntries; m > 0 {
			n = min(n, m)
		}
		es := chain(r.tail, n, "x")
		var bodies []driver.Body
		for i := range es {
			for op := range 5 {
				bodies = append(bodies, body(&es[i], op, fmt.Sprint("p", op), fmt.Sprint(i, op), "{}"))
			}
		}
		r.append(es...)
		for _, b := range bodies {
			r.has(r.log, b)
		}
	}),

	logCase("body/missing", "A body that is not there is ErrNoBody.", func(r *logRig) {
		ref := driver.BodyRef{Revision: 1, Op: 0, PromptID: "p", Version: "1.0.0", Ordinal: 1}
		r.gone(r.log, ref)
		e := entry(r.tail, "x", "")
		b := body(&e, 3, "p", "text", "{}")
		r.append(e)
		r.has(r.log, b)
		for _, o := range []driver.BodyRef{{Revision: 1, Op: 2}, {Revision: 1, Op: 4}, {Revision: 2, Op: 3}, {Revision: 0, Op: 3}} {
			o.PromptID, o.Version, o.Ordinal = "q", fmt.Sprintf("9.%d.%d", o.Revision, o.Op), 9
			r.gone(r.log, o)
		}
	}),

	logCase("body/dropped", "Dropped bodies go, of earlier entries and of the same; others stay.", func(r *logRig) {
		var bodies []driver.Body
		for i := range 6 {
			e := entry(r.tail, fmt.Sprint("x", i), "")
			bodies = append(bodies, body(&e, 0, "p", fmt.Sprint("first ", i), "{}"), body(&e, 1, "q", fmt.Sprint("second ", i), "{}"))
			r.append(e)
		}
		e := entry(r.tail, "drop", "")
		own := body(&e, 0, "p", "gone at once", "{}")
		kept := body(&e, 1, "p", "kept", "{}")
		e.Dropped = []driver.BodyRef{own.BodyRef, bodies[0].BodyRef, bodies[5].BodyRef, bodies[10].BodyRef}
		r.append(e)
		r.sweep()
		for i, b := range bodies {
			if i%5 == 0 {
				r.gone(r.log, b.BodyRef)
			} else {
				r.has(r.log, b)
			}
		}
		r.gone(r.log, own.BodyRef)
		r.has(r.log, kept)
	}),

	logCase("body/dropped-in-the-append", "An entry drops bodies that an earlier one of the same append brought.", func(r *logRig) {
		if m := r.log.Info().MaxEntries; m == 1 {
			return
		}
		es := chain(r.tail, 2, "x")
		a, b := body(&es[0], 0, "p", "a", "{}"), body(&es[0], 1, "p", "b", "{}")
		es[1].Dropped = []driver.BodyRef{a.BodyRef}
		r.append(es...)
		r.sweep()
		r.gone(r.log, a.BodyRef)
		r.has(r.log, b)
	}),

	logCase("body/many-dropped", "Any number of bodies is dropped by one entry.", func(r *logRig) {
		var refs []driver.BodyRef
		for i := range 3 {
			e := entry(r.tail, fmt.Sprint("x", i), "")
			for op := range driver.MaxOps {
				refs = append(refs, body(&e, op, "p", fmt.Sprint(i, op), "{}").BodyRef)
			}
			r.append(e)
		}
		e := entry(r.tail, "drop", "")
		e.Dropped = refs[1:]
		r.append(e)
		r.sweep()
		if _, err := r.log.Body(r.ctx, refs[0]); err != nil {
			r.fail("the body that was not dropped: %v", err)
		}
		for _, ref := range refs[1:] {
			r.gone(r.log, ref)
		}
	}),

	logCase("body/cleared", "Where an entry clears, all bodies of earlier revisions go, those of the same and of later ones stay.", func(r *logRig) {
		var old []driver.Body
		for i := range 4 {
			e := entry(r.tail, fmt.Sprint("x", i), "")
			old = append(old, body(&e, 0, "p", fmt.Sprint(i), "{}"), body(&e, 1, "q", fmt.Sprint(i), "{}"))
			r.append(e)
		}
		e := entry(r.tail, "clear", "")
		before := body(&e, 0, "p", "saved before the clear in its commit", "{}")
		own := body(&e, 2, "p", "saved behind it", "{}")
		e.Cleared, e.Dropped = true, []driver.BodyRef{before.BodyRef}
		r.append(e)
		after := entry(r.tail, "after", "")
		later := body(&after, 0, "p", "later", "{}")
		r.append(after)
		r.sweep()
		for _, b := range old {
			r.gone(r.log, b.BodyRef)
		}
		r.gone(r.log, before.BodyRef)
		r.has(r.log, own)
		r.has(r.log, later)
		r.same("the number of entries", len(r.read(r.log, 0, 100)), 6)
	}),

	logCase("body/cleared-in-the-append", "An entry that clears removes the bodies of earlier entries of the same append, and keeps those of later ones.", func(r *logRig) {
		if m := r.log.Info().MaxEntries; m > 0 && m < 3 {
			return
		}
		es := chain(r.tail, 3, "x")
		a, c := body(&es[0], 0, "p", "a", "{}"), body(&es[2], 0, "p", "c", "{}")
		es[1].Cleared = true
		r.append(es...)
		r.sweep()
		r.gone(r.log, a.BodyRef)
		r.has(r.log, c)
	}),
}
