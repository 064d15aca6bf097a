package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stet-dev/stet/driver"
)

var logWaitCases = []Case{
	logCase("wait", "A Notifier's Wait returns at once if the tail is after the revision, when it gets there otherwise, and with an error when its context is done or the log is closed.", func(r *logRig) {
		n, ok := r.log.(driver.Notifier)
		if !ok {
			return // core polls
		}
		r.grow(2)
		r.within("Wait for what is there", func() {
			r.must(n.Wait(r.ctx, 0), "Wait")
			r.must(n.Wait(r.ctx, 1), "Wait")
		})
		woken := make(chan error, 3)
		for range 3 {
			go func() {
				for tail := (driver.Tail{}); tail.Revision < 3; { // it may return for no reason
					if err := n.Wait(r.ctx, 2); err != nil {
						woken <- err
						return
					}
					var err error
					if tail, err = r.log.Barrier(r.ctx); err != nil {
						woken <- err
						return
					}
				}
				woken <- nil
			}()
		}
		r.grow(1)
		r.within("Wait for what was appended", func() {
			for range 3 {
				r.must(<-woken, "Wait")
			}
		})
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		r.within("Wait with a context that is done", func() {
			for range 1000 {
				if n.Wait(ctx, 1<<40) != nil {
					return
				}
			}
			r.fail("Wait does not fail with a context that is done")
		})
	}),

	logNeeding(NeedAnother, "wait/others", "A Notifier reports what another handle appended.", func(r *logRig) {
		n, ok := r.log.(driver.Notifier)
		if !ok {
			return
		}
		other, err := r.h.Another(r.ctx, r.log)
		r.must(err, "opening another handle")
		defer other.Close()
		woken := make(chan error, 1)
		go func() {
			for tail := (driver.Tail{}); tail.Revision < 1; {
				if err := n.Wait(r.ctx, 0); err != nil {
					woken <- err
					return
				}
				tail, _ = r.log.Barrier(r.ctx)
			}
			woken <- nil
		}()
		r.must(r.try(other, driver.Entry{}, entry(driver.Entry{}, "x", "")), "appending")
		r.within("Wait", func() { r.must(<-woken, "Wait") })
	}),
}

// chunks are what a checkpointer's log has, in one string.
func (r *logRig) chunks(c driver.Checkpointer) (all string) {
	last := ""
	rev, err := c.LoadCheckpoint(r.ctx, func(ch driver.Chunk) error {
		r.ok(ch.Key > last || all == "", "the chunk %q comes behind %q", ch.Key, last)
		last = ch.Key
		all += fmt.Sprintf("%s=%s ", ch.Key, ch.Data)
		return nil
	})
	r.must(err, "LoadCheckpoint")
	return fmt.Sprint(all, rev)
}

var logCheckpointCases = []Case{
	logCase("checkpoint", "A Checkpointer replaces the chunks that are given, removes those without data, keeps the others, and returns them by key with the revision that they stand for; an older checkpoint never replaces a newer one.", func(r *logRig) {
		c, ok := r.log.(driver.Checkpointer)
		if !ok {
			return // core reads the log
		}
		save := func(rev uint64, reset bool, pairs ...string) {
			var chunks []driver.Chunk
			for i := 0; i < len(pairs); i += 2 {
				ch := driver.Chunk{Key: pairs[i]}
				if pairs[i+1] != "" {
					ch.Data = []byte(pairs[i+1])
				}
				chunks = append(chunks, ch)
			}
			r.must(c.SaveCheckpoint(r.ctx, rev, reset, chunks), "SaveCheckpoint")
		}
		r.same("no checkpoint", r.chunks(c), "0")
		r.grow(5)
		r.same("no checkpoint, with entries", r.chunks(c), "0")
		save(2, true, "b", "1", "a", "2", "é", "3", "a/b", "4")
		r.same("the first", r.chunks(c), "a=2 a/b=4 b=1 é=3 2")
		save(3, false, "a", "5", "b", "", "c", "6", "none", "")
		r.same("the second", r.chunks(c), "a=5 a/b=4 c=6 é=3 3")
		save(4, false)
		r.same("one that changes nothing but the revision", r.chunks(c), "a=5 a/b=4 c=6 é=3 4")
		save(5, true, "z", "7")
		r.same("a reset", r.chunks(c), "z=7 5")
		r.grow(1)
		r.same("after an append", r.chunks(c), "z=7 5")
		for _, reset := range []bool{true, false} { // by another who was slower
			_ = c.SaveCheckpoint(r.ctx, 4, reset, []driver.Chunk{{Key: "old", Data: []byte("8")}, {Key: "z"}})
			r.same("after an older one", r.chunks(c), "z=7 5")
		}
		big := strings.Repeat("\x00\xff", driver.MaxChunk/2)
		save(6, true, "big", big)
		r.ok(r.chunks(c) == "big="+big+" 6", "a chunk of MaxChunk bytes is not what was saved")
		stop := errors.New("stop")
		_, err := c.LoadCheckpoint(r.ctx, func(driver.Chunk) error { return stop })
		r.ok(errors.Is(err, stop), "LoadCheckpoint returns %v where its caller stops it", err)
		r.same("the number of entries", len(r.read(r.log, 0, 100)), 6)
	}),

	logNeeding(NeedReopen, "checkpoint/reopen", "A checkpoint is there after the log is opened again.", func(r *logRig) {
		c, ok := r.log.(driver.Checkpointer)
		if !ok {
			return
		}
		r.grow(3)
		r.must(c.SaveCheckpoint(r.ctx, 3, true, []driver.Chunk{{Key: "a", Data: []byte("x")}, {Key: "b", Data: []byte{}}}), "SaveCheckpoint")
		log, err := r.h.Reopen(r.ctx, r.log)
		r.must(err, "opening again")
		r.log = log
		r.same("the checkpoint", r.chunks(log.(driver.Checkpointer)), "a=x b= 3")
	}),
}

var logCloseCases = []Case{
	logCase("close", "After Close, and for calls in flight, methods end with an error; Close can be called again.", func(r *logRig) {
		r.grow(1)
		waiting := make(chan error, 1)
		n, notifies := r.log.(driver.Notifier)
		if notifies {
			go func() {
				for {
					if err := n.Wait(r.ctx, 1<<40); err != nil {
						waiting <- err
						return
					}
				}
			}()
		}
		r.must(r.log.Close(), "Close")
		if notifies {
			r.within("Wait", func() { r.ok(<-waiting != nil, "Wait succeeds on a closed log") })
		}
		r.log.Close()
		e := entry(r.tail, "late", "")
		r.ok(r.log.Append(r.ctx, tailOf(r.tail), []driver.Entry{e}) != nil, "Append succeeds on a closed log")
		_, err := r.log.Read(r.ctx, 0, 1)
		r.ok(err != nil, "Read succeeds on a closed log")
		_, err = r.log.Barrier(r.ctx)
		r.ok(err != nil, "Barrier succeeds on a closed log")
		_, err = r.log.Body(r.ctx, driver.BodyRef{Revision: 1, PromptID: "p", Version: "1.0.0", Ordinal: 1})
		r.ok(err != nil && !errors.Is(err, driver.ErrNoBody), "Body on a closed log says %v", err)
	}),

	logNeeding(NeedReopen, "reopen", "What was appended is there when the log is opened again: entries, bodies, the store id; what was dropped is not.", func(r *logRig) {
		id := r.log.Info().StoreID
		var all []driver.Entry
		var bodies []driver.Body
		for i := range 10 {
			e := entry(r.tail, fmt.Sprint("x", i), "note")
			bodies = append(bodies, body(&e, i, "p", fmt.Sprint("text ", i), `{"a":1}`))
			if i == 5 {
				e.Dropped = []driver.BodyRef{bodies[2].BodyRef}
			}
			r.append(e)
			all = append(all, e)
		}
		r.sweep()
		for range 2 {
			log, err := r.h.Reopen(r.ctx, r.log)
			r.must(err, "opening again")
			r.log = log
			r.same("the store id", log.Info().StoreID, id)
			r.sameEntries("the log", r.read(log, 0, 100), all)
			for i, b := range bodies {
				if i == 2 {
					r.gone(log, b.BodyRef)
				} else {
					r.has(log, b)
				}
			}
			r.append(entry(r.tail, fmt.Sprint("on", r.tail.Revision), ""))
			all = append(all, r.tail)
		}
	}),
}
