package client

import (
	"context"
	"errors"
	"time"

	"github.com/stet-dev/stet"
)

const (
	// batchRefs is how many references are read anew in one request, as long as
	// their texts fit into one answer.
	batchRefs = 256
	// batchMisses is how many of them may turn out not to be there any more before
	// the rest is left to whoever asks.
	batchMisses = 16
	// readTime bounds one request of the reader.
	readTime = 30 * time.Second
)

// read reads anew what was changed, until the cache is closed.
func (c *cached) read() {
	for {
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			return
		}
		for n := 1; c.ctx.Err() == nil; {
			more, err := c.readSome()
			c.mu.Lock()
			c.failed = err
			if err == nil && !c.unread && c.live.Load() != nil && len(c.dirty) == 0 {
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

// pause waits after the n-th failure in a row, but not past the moment at which
// something is too old to be given out.
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

// readSome does a part of what is to be done, and tells whether there is more.
func (c *cached) readSome() (more bool, err error) {
	c.mu.Lock()
	x, unread := c.index, c.unread
	c.mu.Unlock()
	if x == nil {
		return false, nil
	}
	if unread {
		if err := c.survey(x); err != nil {
			return true, err
		}
	}
	return c.readBatch()
}

// survey finds the prompts of the prefixes and notes them to be read.
func (c *cached) survey(x *index) error {
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
				s.wants("", "latest")
				for label := range head.Labels {
					s.wants(label)
				}
				s.mu.Unlock()
				c.soil(s)
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
		c.unread = false
	}
	return nil
}

// A job is a prompt that is read anew.
type job struct {
	s     *slot
	sels  []string
	since time.Time // when it was found to be too old
}

// readBatch reads some of the dirty slots anew, all as of one revision, in one
// request.
func (c *cached) readBatch() (more bool, err error) {
	if c.batch == 0 {
		c.batch = batchRefs
	}
	jobs, min, deadline := c.takeJobs()
	misses := 0
	for len(jobs) > 0 {
		var refs []string
		for i := range jobs {
			for _, sel := range jobs[i].sels {
				refs = append(refs, refOf(jobs[i].s.id, sel))
			}
		}
		ctx, cancel := context.WithDeadline(c.ctx, deadline)
		versions, asOf, err := c.Backend.GetMany(ctx, refs, stet.ReadOptions{MinRevision: min})
		cancel()
		var e *stet.Error
		switch {
		case err == nil:
			c.done(jobs, versions, asOf)
			jobs = nil
		case stet.CodeOf(err) == stet.CodeTooLarge:
			c.batch = len(refs) / 2
			jobs = c.half(jobs)
		case gone[stet.CodeOf(err)] && errors.As(err, &e) && e.Op >= 0 && e.Op < len(refs):
			if misses++; misses <= batchMisses {
				jobs = c.without(jobs, e.Op)
				continue
			}
			for i := range jobs {
				c.letGo(&jobs[i])
			}
			jobs = nil
		default:
			c.putBack(jobs)
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

// gone are the codes that say of one reference that it is not there, or not any
// more, for this caller.
var gone = map[stet.Code]bool{stet.CodeNotFound: true, stet.CodeForbidden: true}

// half leaves out half of what did not fit into one answer: jobs, which are done
// later, or references of the one job there is, which are left to whoever asks.
func (c *cached) half(jobs []job) []job {
	j := &jobs[0]
	switch n := len(jobs) / 2; {
	case n > 0:
		c.putBack(jobs[n:])
		return jobs[:n]
	case len(j.sels) > 1:
		j.sels = j.sels[:len(j.sels)/2]
		return jobs
	}
	c.letGo(j)
	return nil
}

// takeJobs takes some of what is dirty, the revision that the answer must have,
// and until when it is worth waiting for it.
func (c *cached) takeJobs() (jobs []job, min uint64, deadline time.Time) {
	now := time.Now()
	deadline = now.Add(readTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	refs := 0
	for s, since := range c.dirty {
		s.mu.Lock()
		h := s.held.Load()
		sels := h.selectors()
		if h == nil && len(c.o.Prefixes) > 0 {
			sels = s.want
		}
		if h != nil && h.asOf >= s.need {
			sels = nil // somebody who asked was faster
		}
		min = max(min, s.need, s.floor)
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

// done puts answers into the slots: the versions of all jobs, one after the other.
func (c *cached) done(jobs []job, versions []stet.Version, asOf uint64) {
	for i := range jobs {
		s, sels := jobs[i].s, jobs[i].sels
		h := newHeld(asOf, sels, versions[:len(sels)])
		versions = versions[len(sels):]
		s.mu.Lock()
		s.install(h)
		behind := asOf < s.need
		s.mu.Unlock()
		c.weigh(s)
		if behind {
			c.soil(s)
		}
	}
}

// without leaves out the n-th of the references of all jobs, which is not there any
// more. Whoever asks for it asks the server, who says so.
func (c *cached) without(jobs []job, n int) []job {
	for i := range jobs {
		j := &jobs[i]
		if n >= len(j.sels) {
			n -= len(j.sels)
			continue
		}
		j.sels = append(j.sels[:n], j.sels[n+1:]...)
		if len(j.sels) == 0 {
			c.letGo(j)
			return append(jobs[:i], jobs[i+1:]...)
		}
		return jobs
	}
	return jobs
}

// letGo empties the slot of a job.
func (c *cached) letGo(j *job) {
	j.s.mu.Lock()
	defer j.s.mu.Unlock()
	if h := j.s.held.Load(); h != nil && h.asOf < j.s.need {
		j.s.held.Store(nil)
	}
	j.s.want = nil
}

// putBack notes jobs that could not be done. What was found to be too old before
// MaxStale is given out no more (trap 10).
func (c *cached) putBack(jobs []job) {
	for i := range jobs {
		j := &jobs[i]
		if time.Since(j.since) >= c.o.MaxStale {
			j.s.mu.Lock()
			if h := j.s.held.Load(); h != nil && h.asOf < j.s.need {
				j.s.held.Store(nil)
			}
			j.s.mu.Unlock()
		}
		c.soil(j.s)
		c.mu.Lock()
		if _, ok := c.dirty[j.s]; ok {
			c.dirty[j.s] = j.since
		}
		c.mu.Unlock()
	}
}
