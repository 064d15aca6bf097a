package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/sieve"
)

// An index has the slots of one epoch of one store. A clear, or another store at the
// same address, begins a new one.
type index struct {
	slots *xsync.Map[string, *slot]
	// from is the revision after which every change reaches these slots. They hold
	// nothing older.
	from uint64
}

func newIndex(from uint64) *index {
	return &index{slots: xsync.NewMap[string, *slot](), from: from}
}

// A slot caches one prompt.
type slot struct {
	id       string
	index    *index
	snapshot atomic.Pointer[snapshot] // nil for nothing; written under mu

	mu          sync.Mutex
	minRevision uint64 // no older revision is returned
	changedAt   uint64 // revision of the newest change that the feed had
	wanted      []string
	flight      *flight

	entry sieve.Entry[*slot] // guarded by cached.mu, but for Touch
}

// A snapshot is what is cached of a prompt, all as of one revision. It is immutable.
type snapshot struct {
	asOf uint64
	refs []ref
}

// A ref is the version that a selector names; "" is current.
type ref struct {
	selector string
	version  stet.Version
}

// find returns the version that a selector names, nil if it is not cached. There are
// few selectors, and comparing short names costs less than a map.
func (h *snapshot) find(sel string) *stet.Version {
	if h == nil {
		return nil
	}
	for i := range h.refs {
		if h.refs[i].selector == sel {
			return &h.refs[i].version
		}
	}
	return nil
}

// selectors returns the selectors of the snapshot, the oldest first.
func (h *snapshot) selectors() []string {
	if h == nil {
		return nil
	}
	sels := make([]string, len(h.refs))
	for i := range h.refs {
		sels[i] = h.refs[i].selector
	}
	return sels
}

// newSnapshot returns a snapshot of the versions that selectors name. A version that
// several selectors name is held once.
func newSnapshot(asOf uint64, sels []string, versions []stet.Version) *snapshot {
	h := &snapshot{asOf: asOf, refs: make([]ref, len(sels))}
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

// bytes is about how much memory the snapshot takes.
func (h *snapshot) bytes() int {
	n := 0
	for i := range h.refs {
		n += 64 + len(h.refs[i].selector)
		v := h.refs[i].version
		if slices.ContainsFunc(h.refs[:i], func(r ref) bool { return same(v, r.version) }) {
			continue
		}
		c := v.Content()
		n += 512 + len(v.PromptID()) + len(c.Text()) + len(c.Messages()) + len(c.Config()) + len(v.Metadata()) + len(v.Message())
	}
	return n
}

// install replaces the snapshot of the slot, unless that is newer, and reports whether
// it did. The caller holds s.mu.
func (s *slot) install(h *snapshot) bool {
	old := s.snapshot.Load()
	if h.asOf < s.minRevision || h.asOf < s.index.from || old != nil && h.asOf < old.asOf {
		return false
	}
	s.snapshot.Store(h)
	s.minRevision = max(s.minRevision, h.asOf)
	s.wanted = h.selectors()
	return true
}

// A flight is one request for a prompt, for which several callers may wait.
type flight struct {
	minRevision uint64   // the request asked for this revision at least
	selectors   []string // all selectors of the request
	selector    string   // the one that its caller asked for
	done        chan struct{}

	snapshot *snapshot // after done
	err      error
	canceled bool // its caller has left
}

// errOlder is for a server that does not keep min_revision.
var errOlder = stet.Errorf(stet.CodeUnavailable, "the server answers with an older state than before. Try again.")

// fetch reads a selector of a prompt from the server, together with the others that
// are cached, so that all stay of one revision.
func (c *cached) fetch(ctx context.Context, s *slot, sel string) (stet.Version, error) {
	for range 4 { // two are enough for a server that keeps min_revision
		s.mu.Lock()
		f := s.flight
		if f != nil && f.minRevision >= s.minRevision && slices.Contains(f.selectors, sel) {
			s.mu.Unlock()
			select {
			case <-f.done:
			case <-ctx.Done():
				err := context.Cause(ctx)
				return stet.Version{}, stet.WrapError(err, stet.CodeUnavailable, "the time for reading %s ran out (%v). Try again with more time.", s.id, err)
			}
			if f.err != nil && (f.selector != sel || f.canceled) {
				continue // it was another caller's request, for another selector or with less time
			}
		} else {
			sels := s.wanted
			if h := s.snapshot.Load(); h != nil {
				sels = h.selectors()
			}
			sels = slices.Clone(sels)
			if !slices.Contains(sels, sel) {
				if sels = append(sels, sel); len(sels) > maxRefs {
					sels = sels[len(sels)-maxRefs:]
				}
			}
			f = &flight{minRevision: max(s.minRevision, s.changedAt, s.index.from), selectors: sels, selector: sel, done: make(chan struct{})}
			s.flight = f
			s.mu.Unlock()
			f.snapshot, f.err = c.readPrompt(ctx, s.id, f.selectors, sel, f.minRevision)
			f.canceled = ctx.Err() != nil
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
		if v, ok := c.accept(s, f.snapshot, sel); ok {
			return v, nil
		}
	}
	return stet.Version{}, errOlder
}

// accept puts an answer into the slot and returns the version of a selector, from a
// newer snapshot if there is one. It returns false if the answer is too old.
func (c *cached) accept(s *slot, h *snapshot, sel string) (stet.Version, bool) {
	s.mu.Lock()
	ok := s.install(h)
	if old := s.snapshot.Load(); !ok && old != nil && old.find(sel) != nil {
		h, ok = old, true // another answer was faster
	}
	again := ok && s.changedAt > h.asOf
	s.mu.Unlock()
	if !ok {
		return stet.Version{}, false
	}
	c.resize(s)
	if again {
		c.markDirty(s)
	}
	if v := h.find(sel); v != nil {
		return *v, true
	}
	return stet.Version{}, false
}

// readPrompt reads selectors of a prompt from the server. If another than sel fails, it
// reads sel alone.
func (c *cached) readPrompt(ctx context.Context, id string, sels []string, sel string, min uint64) (*snapshot, error) {
	for {
		refs := make([]string, len(sels))
		for i := range sels {
			refs[i] = refOf(id, sels[i])
		}
		versions, asOf, err := c.Backend.GetMany(ctx, refs, stet.ReadOptions{MinRevision: min})
		var e *stet.Error
		switch {
		case err == nil:
			return newSnapshot(asOf, sels, versions), nil
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
