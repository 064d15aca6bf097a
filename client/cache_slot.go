package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/stet-dev/stet"
)

// An index has the slots of one content of the store: a clear, or another store at
// the same address, begins a new one.
type index struct {
	slots *xsync.Map[string, *slot]
	// from is the revision after which every change comes to these slots. Nothing
	// older is kept in them.
	from uint64
}

func newIndex(from uint64) *index {
	return &index{slots: xsync.NewMap[string, *slot](), from: from}
}

// A slot is the place of a prompt.
type slot struct {
	id    string
	index *index
	held  atomic.Pointer[held] // nil for nothing; stored under mu
	used  atomic.Bool          // read since the sieve's hand last came by

	mu     sync.Mutex
	floor  uint64 // nothing older is given out
	need   uint64 // the newest change of the prompt that the feed told of
	want   []string
	flight *flight

	next, prev *slot // guarded by cached.mu, as is what follows
	size       int   // 0 while not in the sieve
}

// held is what is kept of a prompt: all of it is of one revision. It never
// changes.
type held struct {
	asOf uint64
	refs []ref
}

// A ref is what a selector names; "" is current.
type ref struct {
	sel     string
	version stet.Version
}

// find returns the version that a selector names, nil if that is not kept. There
// are few, and comparing short names costs less than a map of them.
func (h *held) find(sel string) *stet.Version {
	if h == nil {
		return nil
	}
	for i := range h.refs {
		if h.refs[i].sel == sel {
			return &h.refs[i].version
		}
	}
	return nil
}

// selectors returns what is kept, the oldest first.
func (h *held) selectors() []string {
	if h == nil {
		return nil
	}
	sels := make([]string, len(h.refs))
	for i := range h.refs {
		sels[i] = h.refs[i].sel
	}
	return sels
}

// newHeld makes what is kept of answers to selectors. A version that several
// selectors name is kept once.
func newHeld(asOf uint64, sels []string, versions []stet.Version) *held {
	h := &held{asOf: asOf, refs: make([]ref, len(sels))}
	for i, v := range versions {
		if j := slices.IndexFunc(versions[:i], func(w stet.Version) bool { return same(v, w) }); j >= 0 {
			v = h.refs[j].version
		}
		h.refs[i] = ref{sels[i], v}
	}
	return h
}

func same(v, w stet.Version) bool {
	return v.Revision() == w.Revision() && v.Ordinal() == w.Ordinal() && v.Digest() == w.Digest()
}

// bytes is about the memory that h takes.
func (h *held) bytes() int {
	n := 0
	for i := range h.refs {
		n += 64 + len(h.refs[i].sel)
		v := h.refs[i].version
		if slices.ContainsFunc(h.refs[:i], func(r ref) bool { return same(v, r.version) }) {
			continue
		}
		c := v.Content()
		n += 512 + len(v.PromptID()) + len(c.Text()) + len(c.Messages()) + len(c.Config()) + len(v.Metadata()) + len(v.Message())
	}
	return n
}

// install makes h what the slot holds, unless that is newer. The caller holds s.mu.
func (s *slot) install(h *held) bool {
	old := s.held.Load()
	if h.asOf < s.floor || h.asOf < s.index.from || old != nil && h.asOf < old.asOf {
		return false
	}
	s.held.Store(h)
	s.floor = max(s.floor, h.asOf)
	s.want = h.selectors()
	return true
}

// A flight is one request for a prompt that several callers may wait for.
type flight struct {
	min  uint64   // it was asked for a state that is not older
	sels []string // what was asked for
	sel  string   // what its caller wants of it
	done chan struct{}

	held *held // after done
	err  error
	cut  bool // its caller gave up
}

// errOlder says that a server has answered with less than it was asked for.
var errOlder = stet.Errorf(stet.CodeUnavailable, "the server answers with a state that is older than what it has told before. Try again.")

// fetch asks the server for a selector of a prompt, and for the others that are
// kept of it, so that they stay of one revision.
func (c *cached) fetch(ctx context.Context, s *slot, sel string) (stet.Version, error) {
	for range 4 { // the second is enough for a server that keeps min_revision
		s.mu.Lock()
		f := s.flight
		if f != nil && f.min >= s.floor && slices.Contains(f.sels, sel) {
			s.mu.Unlock()
			select {
			case <-f.done:
			case <-ctx.Done():
				err := context.Cause(ctx)
				return stet.Version{}, stet.WrapError(err, stet.CodeUnavailable, "the time for reading %s ran out (%v). Try again with more time.", s.id, err)
			}
			if f.err != nil && (f.sel != sel || f.cut) {
				continue // it was another's request, for something else or with less time
			}
		} else {
			sels := s.want
			if h := s.held.Load(); h != nil {
				sels = h.selectors()
			}
			sels = slices.Clone(sels)
			if !slices.Contains(sels, sel) {
				if sels = append(sels, sel); len(sels) > maxRefs {
					sels = sels[len(sels)-maxRefs:]
				}
			}
			f = &flight{min: max(s.floor, s.need, s.index.from), sels: sels, sel: sel, done: make(chan struct{})}
			s.flight = f
			s.mu.Unlock()
			f.held, f.err = c.ask(ctx, s.id, f.sels, sel, f.min)
			f.cut = ctx.Err() != nil
			s.mu.Lock()
			if s.flight == f {
				s.flight = nil
			}
			s.mu.Unlock()
			close(f.done)
		}
		if f.err != nil {
			return stet.Version{}, f.err
		}
		if v, ok := c.give(s, f.held, sel); ok {
			return v, nil
		}
	}
	return stet.Version{}, errOlder
}

// give puts an answer into the slot and returns what is to be given out for it: a
// newer one if there is. It returns false if the answer is too old.
func (c *cached) give(s *slot, h *held, sel string) (stet.Version, bool) {
	s.mu.Lock()
	ok := s.install(h)
	if old := s.held.Load(); !ok && old != nil && old.find(sel) != nil {
		h, ok = old, true // somebody else was faster
	}
	again := ok && s.need > h.asOf
	s.mu.Unlock()
	if !ok {
		return stet.Version{}, false
	}
	c.weigh(s)
	if again {
		c.soil(s)
	}
	if v := h.find(sel); v != nil {
		return *v, true
	}
	return stet.Version{}, false
}

// ask reads selectors of a prompt. If one of them fails that is not the one that
// was asked for, it reads that one alone.
func (c *cached) ask(ctx context.Context, id string, sels []string, sel string, min uint64) (*held, error) {
	for {
		refs := make([]string, len(sels))
		for i := range sels {
			refs[i] = refOf(id, sels[i])
		}
		versions, asOf, err := c.Backend.GetMany(ctx, refs, stet.ReadOptions{MinRevision: min})
		var e *stet.Error
		switch {
		case err == nil:
			return newHeld(asOf, sels, versions), nil
		case errors.As(err, &e) && e.Op != stet.NoOp:
			if len(sels) > 1 && (e.Op >= len(sels) || sels[e.Op] != sel) {
				sels = []string{sel}
				continue
			}
			alone := *e
			alone.Op = stet.NoOp
			return nil, &alone
		}
		return nil, err
	}
}

func refOf(id, sel string) string {
	if sel == "" {
		return id
	}
	return id + "@" + sel
}
