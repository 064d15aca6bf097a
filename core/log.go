package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// askTimeout bounds a question to a shared log. Many wait for the answer, so a connection
// that went silent must not hold them up for as long as one of them would wait.
const askTimeout = 3 * time.Second

// A boundedLog is a shared log of which no question takes longer than askTimeout.
type boundedLog struct{ driver.Log }

func (l boundedLog) Barrier(ctx context.Context) (driver.Tail, error) {
	return ask(ctx, l.Log.Barrier)
}

func (l boundedLog) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	return ask(ctx, func(ctx context.Context) ([]driver.Entry, error) { return l.Log.Read(ctx, after, limit) })
}

func (l boundedLog) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	return ask(ctx, func(ctx context.Context) (driver.Body, error) { return l.Log.Body(ctx, ref) })
}

func ask[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := question(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = stet.WrapError(err, stet.CodeUnavailable, "the storage has not answered within %v. Try again.", askTimeout)
	}
	return answer, err
}

// readPage is how many entries are read at a time.
const readPage = 512

// catchUp applies a page of what the log has after the state, and reports whether it had
// any. The caller holds c.state.
func (c *core) catchUp(ctx context.Context) (bool, error) {
	t := c.published.Load().begin()
	entries, err := c.log.Read(ctx, t.revision, readPage)
	if err != nil {
		return false, c.unread(err, stet.CodeUnavailable, "the log after revision %d", t.revision)
	}
	if len(entries) == 0 {
		return false, nil
	}
	for i := range entries {
		if err := t.applyEntry(&entries[i], nil); err != nil {
			return false, damaged(err)
		}
	}
	c.publish(t)
	return true, nil
}

// catchUpToTail asks the log for its tail and brings the state up to it.
func (c *core) catchUpToTail(ctx context.Context) error {
	tail, err := c.askTail(ctx)
	if err != nil {
		return err
	}
	c.state.Lock()
	defer c.state.Unlock()
	return c.catchUpTo(ctx, tail)
}

// askTail asks the log for its tail. What was published before the question is in
// the log. A tail that falls short of it, or differs from it, means that the log has lost
// entries that it had acknowledged, or was replaced; nothing of the state can then be
// trusted to be in the log.
func (c *core) askTail(ctx context.Context) (driver.Tail, error) {
	before := c.published.Load().tail()
	tail, err := c.log.Barrier(ctx)
	switch {
	case err != nil:
		return tail, err
	case tail.Revision < before.Revision:
		return tail, replaced(fmt.Sprintf("it ends at revision %d, and had revision %d", tail.Revision, before.Revision))
	case tail.Revision == before.Revision && tail != before:
		return tail, replaced(fmt.Sprintf("revision %d has another hash", tail.Revision))
	}
	return tail, nil
}

// catchUpTo brings the state up to a tail, and not further: beside somebody who appends all
// the time the log has no end. The caller holds c.state.
func (c *core) catchUpTo(ctx context.Context, tail driver.Tail) error {
	for c.Revision() < tail.Revision {
		more, err := c.catchUp(ctx)
		switch {
		case err != nil:
			return err
		case !more:
			return errors.New("the log does not show what it has acknowledged")
		}
	}
	return nil
}

func replaced(why string) error {
	return stet.Errorf(stet.CodeInternal, "the log under this store was replaced: %s. Nothing more is written. Open the store again.", why)
}

// applyEntry applies an entry of the log. If only is not nil, operations on a prompt for
// which it is false are left out.
func (t *tx) applyEntry(e *driver.Entry, only func(id string) bool) error {
	ch, err := decodeEntry(t.revision, t.hash, e)
	if err != nil {
		return err
	}
	for i := range ch.Ops {
		if only != nil && ch.Ops[i].Clear == nil && !only(ch.Ops[i].PromptID()) {
			continue
		}
		if err := t.apply(ch, i, nil); err != nil {
			return fmt.Errorf("the entry at revision %d of the log does not follow from those before it: operation %d: %w", e.Revision, i, err)
		}
	}
	t.addEntry(e, ch)
	return nil
}

func damaged(err error) error {
	return stet.WrapError(err, stet.CodeInternal, "the store is damaged: %v. Restore it from a backup, or ask for help with this message.", err)
}

// changeAt reads one change from the log. It needs no lock.
func (c *core) changeAt(ctx context.Context, revision uint64) (*stet.Change, error) {
	entries, err := c.log.Read(ctx, revision-1, 1)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("the log has no entry at revision %d", revision)
	}
	ch, err := decodeChange(entries[0].Data)
	if err != nil {
		return nil, err
	}
	ch.Hash = entries[0].Hash
	return ch, nil
}

// A shared log that is no driver.Notifier is asked for news every pollEvery, often enough
// for a person who waits for a change to appear. One that is a Notifier is asked too, every
// pollNotifier: what told of an append may have been lost for good.
const (
	pollEvery    = 200 * time.Millisecond
	pollNotifier = 2 * time.Second
)

// followLog keeps the state up to date with a shared log, so that subscribers, and
// reads without a barrier, see what others commit.
func (c *core) followLog() {
	notifier, _ := c.engine.(driver.Notifier)
	var more bool
	var err error
	for c.ctx.Err() == nil {
		before := c.Revision()
		switch {
		case err != nil: // which shows at the next read with a barrier
			c.sleep(pollEvery)
		case !more:
			c.awaitNews(notifier)
		}
		c.awaitAppend()
		if more = false; err == nil && c.Revision() != before {
			continue // that was the news; if there is more, there are news of it
		}
		c.state.Lock() // for one page: the writer and readers need it too
		more, err = c.catchUp(c.ctx)
		c.state.Unlock()
	}
}

// awaitNews returns when the log may have something new.
func (c *core) awaitNews(notifier driver.Notifier) {
	if notifier != nil {
		ctx, cancel := context.WithTimeout(c.ctx, pollNotifier)
		defer cancel()
		if notifier.Wait(ctx, c.Revision()) == nil || ctx.Err() != nil {
			return
		}
	}
	c.sleep(pollEvery)
}

// awaitAppend waits for the end of an append that is under way.
func (c *core) awaitAppend() {
	select {
	case c.appending <- struct{}{}:
		<-c.appending
	case <-c.ctx.Done():
	}
}

// sleep waits for a time, or until the store is closed.
func (c *core) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// A barrier makes reads of a shared log linearizable: before a read looks at the
// heads, they are brought up to what the log has acknowledged. Readers who come
// while one round is under way share the next: the round that runs may have
// asked for the tail before they came.
type barrier struct {
	mu      sync.Mutex
	running bool
	next    *round
}

type round struct {
	done chan struct{}
	err  error
}

// refresh returns once the state has everything that was acknowledged before the
// call.
func (c *core) refresh(ctx context.Context) error {
	if c.ctx.Err() != nil {
		return errClosed()
	}
	if c.info.Exclusive {
		return nil
	}
	b := &c.barrier
	b.mu.Lock()
	if b.next == nil {
		b.next = &round{done: make(chan struct{})}
	}
	r := b.next
	if !b.running {
		b.running = true
		go c.rounds()
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		err := context.Cause(ctx)
		return stet.WrapError(err, stet.CodeUnavailable, "the storage did not say in time whether there is something newer (%v). Try again, or read the local state.", err)
	case <-c.ctx.Done():
		return errClosed()
	}
}

// rounds runs barriers for as long as somebody waits for one.
func (c *core) rounds() {
	b := &c.barrier
	for {
		b.mu.Lock()
		r := b.next
		b.next = nil
		b.running = r != nil
		b.mu.Unlock()
		if r == nil {
			return
		}
		tail, err := c.askTail(c.ctx)
		if err == nil && tail != c.published.Load().tail() {
			c.awaitAppend()
			c.state.Lock()
			err = c.catchUpTo(c.ctx, tail)
			c.state.Unlock()
		}
		if e := (*stet.Error)(nil); errors.As(err, &e) && e.Code == stet.CodeInternal {
			r.err = e
		} else if err != nil {
			r.err = stet.WrapError(err, stet.CodeUnavailable, "the storage cannot be asked whether there is something newer: %v. Try again, or read the local state.", err)
		}
		close(r.done)
	}
}

// hashAt returns the hash of the entry at a revision, which is not 0, to check the next
// one with: what rotted on the disk is an error and never an answer.
func (c *core) hashAt(ctx context.Context, revision uint64) (stet.Hash, error) {
	entries, err := c.log.Read(ctx, revision-1, 1)
	switch {
	case err != nil:
		return stet.Hash{}, c.unread(err, stet.CodeUnavailable, "the log at revision %d", revision)
	case len(entries) == 0:
		return stet.Hash{}, damaged(fmt.Errorf("the log ends before revision %d", revision))
	}
	return entries[0].Hash, nil
}

// entryAt reads a change whose author, message or time an answer rests on, and checks it
// with the hash of the one before. It also returns the size of its entry in bytes.
func (c *core) entryAt(ctx context.Context, revision uint64) (*stet.Change, int, error) {
	var hash stet.Hash
	var err error
	if ctx.Err() != nil {
		err = stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "reading the log was cut short at revision %d: %v.", revision, context.Cause(ctx))
	} else if revision > 1 {
		hash, err = c.hashAt(ctx, revision-1)
	}
	if err != nil {
		return nil, 0, err
	}
	entries, err := c.log.Read(ctx, revision-1, 1)
	switch {
	case err != nil:
		return nil, 0, c.unread(err, stet.CodeUnavailable, "the log at revision %d", revision)
	case len(entries) == 0:
		return nil, 0, damaged(fmt.Errorf("the log ends before revision %d", revision))
	}
	ch, err := decodeEntry(revision-1, hash, &entries[0])
	if err != nil {
		return nil, 0, damaged(err)
	}
	return ch, len(entries[0].Data), nil
}
