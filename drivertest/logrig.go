package drivertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

// A logRig is what a case of the log's contract works with.
type logRig struct {
	*rig
	log  driver.Log
	tail driver.Entry // the last entry that was appended
}

// logCase makes a case of a function over a new, empty log.
func logCase(name, rule string, f func(r *logRig)) Case {
	return logNeeding(NeedLog, name, rule, f)
}

func logNeeding(need Need, name, rule string, f func(r *logRig)) Case {
	return Case{Name: "log/" + name, Rule: rule, Need: need, Run: func(ctx context.Context, h *Harness) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		log, err := h.OpenLog(ctx)
		if err != nil {
			return fmt.Errorf("the log cannot be opened: %w", err)
		}
		r := &logRig{rig: &rig{ctx: ctx, h: h}, log: log}
		r.guard(func() { f(r) })
		r.log.Close()
		return errors.Join(r.errs...)
	}}
}

// entry makes an entry that follows another. Its data is JSON as core's is, with
// white space and a text of its own.
func entry(after driver.Entry, id, note string) driver.Entry {
	rev := after.Revision + 1
	quoted, _ := json.Marshal(note)
	data := fmt.Appendf(nil, `{"revision":%d, "id":%q,"time":"2026-01-02T03:04:05.000000Z","message":%s,"ops":[{"delete":{"prompt_id":"none","deleted":0}}]}`, rev, id, quoted)
	return driver.Entry{Revision: rev, ID: id, Data: data, Hash: sha256.Sum256(append(after.Hash[:], data...))}
}

// chain makes n entries that follow another.
func chain(after driver.Entry, n int, who string) (all []driver.Entry) {
	for i := range n {
		after = entry(after, fmt.Sprintf("%s-%d-%d", who, after.Revision+1, i), "note")
		all = append(all, after)
	}
	return all
}

// body makes a body that an entry brings.
func body(e *driver.Entry, op int, id, text, fields string) driver.Body {
	b := driver.Body{BodyRef: driver.BodyRef{
		Revision: e.Revision, Op: op, PromptID: id, Version: fmt.Sprintf("%d.%d.0", e.Revision, op), Ordinal: e.Revision,
	}, Text: text, Fields: fields}
	e.Bodies = append(e.Bodies, b)
	return b
}

// tailOf is the tail of a log that ends with an entry.
func tailOf(e driver.Entry) driver.Tail { return driver.Tail{Revision: e.Revision, Hash: e.Hash} }

// try appends to a log behind an entry, whatever is lost on the way: it sends the same again
// until it is added, or somebody else's entry is in its place.
func (r *logRig) try(log driver.Log, after driver.Entry, entries ...driver.Entry) error {
	for i := 0; ; i++ {
		err := log.Append(r.ctx, tailOf(after), entries)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, driver.ErrMoved):
			if _, err := log.Barrier(r.ctx); err != nil {
				return fmt.Errorf("asking for the tail: %w", err)
			}
			got, rerr := log.Read(r.ctx, entries[0].Revision-1, 1)
			if rerr == nil && i > 0 && len(got) == 1 && got[0].ID == entries[0].ID && got[0].Hash == entries[0].Hash {
				return nil // it was an attempt before
			}
			return err
		case !r.h.Unreliable || i == resends:
			return err
		}
	}
}

// append appends what must be added.
func (r *logRig) append(entries ...driver.Entry) {
	r.must(r.try(r.log, r.tail, entries...), "appending revisions %d to %d", entries[0].Revision, entries[len(entries)-1].Revision)
	r.tail = entries[len(entries)-1]
}

// grow appends n entries, one by one.
func (r *logRig) grow(n int) {
	for _, e := range chain(r.tail, n, "grow") {
		r.append(e)
	}
}

// read reads everything of a log, in pages.
func (r *logRig) read(log driver.Log, after uint64, limit int) (all []driver.Entry) {
	tail, err := log.Barrier(r.ctx)
	r.must(err, "Barrier")
	for {
		es, err := log.Read(r.ctx, after, limit)
		r.must(err, "reading after %d", after)
		if len(es) == 0 {
			r.ok(after >= tail.Revision, "Read returns nothing after %d, and Barrier has returned %d", after, tail.Revision)
			return all
		}
		r.ok(len(es) <= limit, "Read with the limit %d returns %d entries", limit, len(es))
		for _, e := range es {
			if e.Revision != after+1 {
				r.fail("Read returns revision %d after %d", e.Revision, after)
				panic(ended{})
			}
			after = e.Revision
			all = append(all, e)
		}
	}
}

// sameEntries notes a failure unless the entries are those, byte for byte.
func (r *logRig) sameEntries(what string, got, want []driver.Entry) {
	if len(got) != len(want) {
		r.fail("%s: there are %d entries, and should be %d", what, len(got), len(want))
		return
	}
	for i := range got {
		g, w := &got[i], &want[i]
		if g.Revision != w.Revision || g.ID != w.ID || g.Hash != w.Hash || !bytes.Equal(g.Data, w.Data) {
			r.fail("%s: revision %d is %q %x %q, and should be %q %x %q", what, w.Revision, g.ID, g.Hash[:4], g.Data, w.ID, w.Hash[:4], w.Data)
		}
	}
}

// has notes a failure unless the log has a body, byte for byte.
func (r *logRig) has(log driver.Log, want driver.Body) {
	got, err := log.Body(r.ctx, want.BodyRef)
	if err != nil {
		r.fail("the body of revision %d, operation %d: %v", want.Revision, want.Op, err)
		return
	}
	if got != want {
		r.fail("the body of revision %d, operation %d, is not what was appended: %.80q %.80q %+v", want.Revision, want.Op, got.Text, got.Fields, got.BodyRef)
	}
}

// gone notes a failure unless the log does not have a body.
func (r *logRig) gone(log driver.Log, b driver.BodyRef) {
	if got, err := log.Body(r.ctx, b); !errors.Is(err, driver.ErrNoBody) {
		r.fail("the body of revision %d, operation %d, should be gone, and is %.40q, %v", b.Revision, b.Op, got.Text, err)
	}
}

// sweep makes removals happen that the engine does later.
func (r *logRig) sweep() {
	if r.h.Sweep != nil {
		r.must(r.h.Sweep(r.ctx, r.log), "sweeping")
	}
}
