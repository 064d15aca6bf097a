package client

import (
	"context"
	"errors"
	"time"

	"github.com/stet-dev/stet"
)

const (
	// batchRefs is how many references one request reads, as long as their texts
	// fit into one answer.
	batchRefs = 256
	// batchMisses is how many of them may be absent before the rest is left to
	// callers to read.
	batchMisses = 16
	// readTime bounds one request of the reader.
	readTime = 30 * time.Second
)

// runReader reads changed prompts again, until the cache is closed.
func (c *cached) runReader() {
	for {
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			return
		}
		for n := 1; c.ctx.Err() == nil; {
			more, err := c.readSome()
			c.mu.Lock()
			c.readErr = err
			if err == nil && !c.needsListing && c.live.Load() != nil && len(c.dirty) == 0 {
				c.readyOnce.Do(func() { close(c.ready) })
			}
			c.mu.Unlock()
			switch {
			case err != nil:
				c.pause(n)
				n++
				continue
			case more:
				n = 1
				continue
			}
			break
		}
	}
}

// pause waits after the n-th failure in a row, but not beyond the moment at which a
// snapshot becomes too old to be used.
func (c *cached) pause(n int) {
	d := longestPause
	if n < 16 {
		d = min(d, firstWait<<n)
	}
	c.mu.Lock()
	for _, since := range c.dirty {
		d = max(min(d, c.o.MaxStale-time.Since(since)), firstWait)
	}
	c.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// readSome does a part of the work, and reports whether there is more.
func (c *cached) readSome() (more bool, err error) {
	c.mu.Lock()
	x, unread := c.index, c.needsListing
	c.mu.Unlock()
	if x == nil {
		return false, nil
	}
	if unread {
		if err := c.listPrefixes(x); err != nil {
			return true, err
		}
	}
	return c.readBatch()
}

// listPrefixes marks the prompts of the prefixes to be read.
func (c *cached) listPrefixes(x *index) error {
	for _, prefix := range c.o.Prefixes {
		o := stet.PromptsOptions{Prefix: prefix, Limit: 1000, ReadOptions: stet.ReadOptions{MinRevision: x.from}}
		for {
			page, err := c.Backend.Prompts(c.ctx, o)
			if err != nil {
				return err
			}
			for i := range page.Items {
				head := &page.Items[i]
				s := c.slot(x, head.PromptID)
				s.mu.Lock()
				s.addWanted("", "latest")
				for label := range head.Labels {
					s.addWanted(label)
				}
				s.mu.Unlock()
				c.markDirty(s)
			}
			if page.Next == "" {
				break
			}
			o.Cursor = page.Next
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.index == x {
		c.needsListing = false
	}
	return nil
}

// A job is a prompt to read again.
type job struct {
	slot      *slot
	selectors []string
	since     time.Time // when it became dirty
}

// readBatch reads some of the dirty slots again, as of one revision, in one request.
func (c *cached) readBatch() (more bool, err error) {
	if c.batch == 0 {
		c.batch = batchRefs
	}
	jobs, min, deadline := c.takeJobs()
	misses := 0
	for len(jobs) > 0 {
		var refs []string
		for i := range jobs {
			for _, sel := range jobs[i].selectors {
				refs = append(refs, refOf(jobs[i].slot.id, sel))
			}
		}
		ctx, cancel := context.WithDeadline(c.ctx, deadline)
		versions, asOf, err := c.Backend.GetMany(ctx, refs, stet.ReadOptions{MinRevision: min})
		cancel()
		var e *stet.Error
		switch {
		case err == nil:
			c.store(jobs, versions, asOf)
			jobs = nil
		case stet.CodeOf(err) == stet.CodeTooLarge:
			c.batch = len(refs) / 2
			jobs = c.halve(jobs)
		case absentCodes[stet.CodeOf(err)] && errors.As(err, &e) && e.Op >= 0 && e.Op < len(refs):
			if misses++; misses <= batchMisses {
				jobs = c.withoutRef(jobs, e.Op)
				continue
			}
			for i := range jobs {
				c.invalidate(&jobs[i])
			}
			jobs = nil
		default:
			c.requeue(jobs)
			return true, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.dirty) == 0 {
		c.batch = 0
	}
	return len(c.dirty) > 0, nil
}

// absentCodes are the codes of a reference that does not exist, or not for this caller.
var absentCodes = map[stet.Code]bool{stet.CodeNotFound: true, stet.CodeForbidden: true}

// halve halves a request whose answer was too large. It puts off half of the jobs; a
// single job loses half of its references, which callers then read themselves.
func (c *cached) halve(jobs []job) []job {
	j := &jobs[0]
	switch n := len(jobs) / 2; {
	case n > 0:
		c.requeue(jobs[n:])
		return jobs[:n]
	case len(j.selectors) > 1:
		j.selectors = j.selectors[:len(j.selectors)/2]
		return jobs
	}
	c.invalidate(j)
	return nil
}

// takeJobs takes some dirty slots. It returns the least revision that the answer must
// have, and until when to wait for it.
func (c *cached) takeJobs() (jobs []job, min uint64, deadline time.Time) {
	now := time.Now()
	deadline = now.Add(readTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	refs := 0
	for s, since := range c.dirty {
		s.mu.Lock()
		h := s.snapshot.Load()
		sels := h.selectors()
		if h == nil && len(c.o.Prefixes) > 0 {
			sels = s.wanted
		}
		if h != nil && h.asOf >= s.changedAt {
			sels = nil // a caller has read it meanwhile
		}
		min = max(min, s.changedAt, s.minRevision)
		s.mu.Unlock()
		if refs += len(sels); refs > c.batch && len(jobs) > 0 {
			break
		}
		delete(c.dirty, s)
		if len(sels) == 0 {
			continue
		}
		jobs = append(jobs, job{s, append([]string(nil), sels...), since})
		if expires := since.Add(c.o.MaxStale); h != nil && expires.Before(deadline) {
			deadline = expires
		}
	}
	if soon := now.Add(time.Second); deadline.Before(soon) {
		deadline = soon
	}
	return jobs, min, deadline
}

// store puts the versions of all jobs, in their order, into the slots.
func (c *cached) store(jobs []job, versions []stet.Version, asOf uint64) {
	for i := range jobs {
		s, sels := jobs[i].slot, jobs[i].selectors
		h := newSnapshot(asOf, sels, versions[:len(sels)])
		versions = versions[len(sels):]
		s.mu.Lock()
		s.install(h)
		behind := asOf < s.changedAt
		s.mu.Unlock()
		c.resize(s)
		if behind {
			c.markDirty(s)
		}
	}
}

// withoutRef leaves out the n-th of the references of all jobs, which is absent. A
// caller who asks for it gets the server's error.
func (c *cached) withoutRef(jobs []job, n int) []job {
	for i := range jobs {
		j := &jobs[i]
		if n >= len(j.selectors) {
			n -= len(j.selectors)
			continue
		}
		j.selectors = append(j.selectors[:n], j.selectors[n+1:]...)
		if len(j.selectors) == 0 {
			c.invalidate(j)
			return append(jobs[:i], jobs[i+1:]...)
		}
		return jobs
	}
	return jobs
}

// invalidate empties the slot of a job that cannot be read.
func (c *cached) invalidate(j *job) {
	j.slot.mu.Lock()
	defer j.slot.mu.Unlock()
	if h := j.slot.snapshot.Load(); h != nil && h.asOf < j.slot.changedAt {
		j.slot.snapshot.Store(nil)
	}
	j.slot.wanted = nil
}

// requeue marks the slots of jobs that failed as dirty again. The snapshot of one that
// has been dirty for MaxStale is dropped.
func (c *cached) requeue(jobs []job) {
	for i := range jobs {
		j := &jobs[i]
		if time.Since(j.since) >= c.o.MaxStale {
			j.slot.mu.Lock()
			if h := j.slot.snapshot.Load(); h != nil && h.asOf < j.slot.changedAt {
				j.slot.snapshot.Store(nil)
			}
			j.slot.mu.Unlock()
		}
		c.markDirty(j.slot)
		c.mu.Lock()
		if _, ok := c.dirty[j.slot]; ok {
			c.dirty[j.slot] = j.since
		}
		c.mu.Unlock()
	}
}
