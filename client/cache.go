package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
)

// CacheOptions are what a cache keeps. The zero value keeps every prompt that is
// asked for.
type CacheOptions struct {
	// Prefixes are what the ids of the prompts begin with that are kept. Their
	// current and latest versions and those with a label are read at the
	// beginning, before anybody asks. A prompt with another id is read from the
	// server each time. Without prefixes the cache keeps what was asked for.
	Prefixes []string
	// MaxStale is for how long answers are given from memory when there is no
	// news from the server: DefaultMaxStale if 0, MinMaxStale at least.
	MaxStale time.Duration
	// MaxBytes bounds the memory of what is kept: 64 MiB if 0. What was not asked
	// for the longest goes first.
	MaxBytes int
}

const (
	// DefaultMaxStale lets an application go on while a server is restarted or
	// moved, and not for an evening with a prompt that was taken back.
	DefaultMaxStale = 5 * time.Minute
	// MinMaxStale is what the server's beats, of which there are three in this
	// time, can tell from a server that is gone.
	MinMaxStale = 3 * time.Second

	defaultCacheBytes = 64 << 20
	// maxRefs is how many selectors of one prompt are kept. They are read anew
	// together, so they must fit into a request many times.
	maxRefs = 32
)

// A Cache is a store whose Get answers from memory. It follows the changes of the
// server, and what a commit has changed is read anew, milliseconds after it; so
// an answer is the state of a moment ago, at the revision that its AsOf tells.
//
//   - The versions of one prompt never go back: whoever has seen one revision of
//     it through this cache sees no earlier one.
//   - Whoever writes through this cache sees at once what was written.
//   - Several prompts may be of different revisions. GetMany, GetAt, Head and all
//     the others ask the server, as without a cache.
//   - When there is no news from the server, which says something several times a
//     MaxStale, answers still come from memory until MaxStale is over. Then each
//     is asked for at the server, and the error says what is wrong. As soon as the
//     server is back the cache catches up by itself.
//   - What is not there is not remembered: each Get of it asks the server.
//
// Closing it ends the following and closes the store that it was made of.
type Cache struct {
	*stet.Store
	c *cached
}

// WithCache puts a cache in front of a store that Open returned, and takes it over.
// It does not wait for the server; see [Cache.Ready]. The error is invalid.
func WithCache(store *stet.Store, o CacheOptions) (*Cache, error) {
	inner := store.Backend()
	f, ok := inner.(feed)
	if !ok {
		return nil, stet.Errorf(stet.CodeInvalid, "the store is not one of a server, but %s, which needs no cache. Give what client.Open returned.", store.Engine())
	}
	switch {
	case o.MaxStale == 0:
		o.MaxStale = DefaultMaxStale
	case o.MaxStale < MinMaxStale:
		return nil, stet.Errorf(stet.CodeInvalid, "MaxStale is %v. Give at least %v: news of the server come once a second at most.", o.MaxStale, MinMaxStale)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultCacheBytes
	}
	o.Prefixes = slices.Clone(o.Prefixes)
	c := newCached(inner, f, o)
	return &Cache{stet.New(c), c}, nil
}

// CacheState is how a cache is at some instant.
type CacheState struct {
	// Revision is up to where the cache knows what has changed, 0 before it has
	// begun to follow.
	Revision uint64
	// Silence is how long ago the server said that there was nothing newer than
	// what the cache knows of now.
	Silence time.Duration
	// Fresh says that answers are given from memory: Silence is under MaxStale.
	Fresh bool
	// Err is why there is no connection, nil if there is one; or else why what has
	// changed could not be read anew.
	Err error
	// Prompts and Bytes are what is kept, and Pending how many of them are still
	// to be read anew.
	Prompts, Bytes, Pending int
}

// State tells how the cache is.
func (c *Cache) State() CacheState { return c.c.state() }

// Ready waits until the cache follows the server and has read what its prefixes
// name. It fails as unavailable if ctx or the cache ends before, and says why the
// cache is not ready.
func (c *Cache) Ready(ctx context.Context) error {
	select {
	case <-c.c.ready:
		return nil
	case <-ctx.Done():
	case <-c.c.ctx.Done():
		return errClosed()
	}
	why := context.Cause(ctx)
	if err := c.c.state().Err; err != nil {
		why = err
	}
	return stet.WrapError(why, stet.CodeUnavailable, "the cache is not ready yet: %s.", message(why))
}

// cached is the backend of a Cache.
//
// The rules that make its answers right. "held" is what a slot has of a prompt.
//
//  1. The feed has every change after index.from, in order. A slot is in the index
//     before what it is to hold is asked for: so no change that is newer than the
//     answer passes the slot by (trap 8).
//  2. What a slot holds never gets older, and neither does what is given out of
//     it: slot.floor is the newest revision that was given out or written through
//     this cache, and an answer that is older is asked for again (trap 9).
//  3. A slot that holds something older than a change of its prompt is in dirty
//     until that was read anew. Its old answer is given out for MaxStale at most
//     (trap 10).
//  4. live is nil unless the server has said something within MaxStale: then
//     nothing is given from memory.
type cached struct {
	stet.Backend
	feed feed
	o    CacheOptions

	// live is the index while it may be answered from.
	live atomic.Pointer[index]

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	index   *index // nil until the feed has begun
	storeID string
	scope   string    // the prompts that the feed tells of
	pos     uint64    // where the feed is
	current time.Time // when there was nothing that the cache does not know of
	told    uint64    // the newest revision that there was at toldAt
	toldAt  time.Time // zero if the server has told of none since current
	lost    error     // why there is no connection
	failed  error     // why the last reading anew failed
	stale   *time.Timer
	sieve   sieve
	dirty   map[*slot]time.Time // since when
	unread  bool                // the prefixes are still to be read
	batch   int                 // how many references the reader asks for at once, 0 before it asks; its own

	wake      chan struct{} // there is work for the reader
	ready     chan struct{}
	readyOnce sync.Once
}

func newCached(inner stet.Backend, f feed, o CacheOptions) *cached {
	c := &cached{
		Backend: inner, feed: f, o: o, sieve: sieve{limit: o.MaxBytes},
		current: time.Now(), dirty: make(map[*slot]time.Time),
		wake: make(chan struct{}, 1), ready: make(chan struct{}),
	}
	c.sieve.reset()
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.stale = time.AfterFunc(o.MaxStale, c.checkStale)
	c.work.Go(c.follow)
	c.work.Go(c.read)
	return c
}

// Get implements stet.Backend.
func (c *cached) Get(ctx context.Context, id, sel string) (stet.Version, error) {
	if x := c.live.Load(); x != nil {
		if s, ok := x.slots.Load(id); ok {
			if h := s.held.Load(); h != nil {
				if v := h.find(sel); v != nil {
					if !s.used.Load() { // a store only when needed: the line stays shared
						s.used.Store(true)
					}
					return *v, nil
				}
			}
		}
	}
	return c.miss(ctx, id, sel)
}

// miss is Get for what is not in memory.
func (c *cached) miss(ctx context.Context, id, sel string) (stet.Version, error) {
	if sel == "current" {
		if x := c.live.Load(); x != nil {
			if s, ok := x.slots.Load(id); ok {
				if v := s.held.Load().find(""); v != nil {
					s.used.Store(true)
					return *v, nil
				}
			}
		}
		sel = ""
	}
	c.mu.Lock()
	x := c.index
	c.mu.Unlock()
	var v stet.Version
	var err error
	if x == nil || !c.keeps(id) {
		v, err = c.Backend.Get(ctx, id, sel)
	} else {
		s := c.slot(x, id)
		v, err = c.fetch(ctx, s, sel)
		if err != nil {
			c.drop(s)
		}
	}
	if stet.CodeOf(err) == stet.CodeUnavailable && c.live.Load() == nil {
		return v, c.whyStale(err)
	}
	return v, err
}

// whyStale says why an error of the server is the caller's.
func (c *cached) whyStale(err error) error {
	st := c.state()
	why := "it has not been reached yet"
	if st.Revision > 0 {
		why = fmt.Sprintf("the last news was %v ago, at revision %d", st.Silence.Round(time.Millisecond), st.Revision)
	}
	if st.Err != nil {
		why += ": " + message(st.Err)
	}
	return stet.WrapError(err, stet.CodeUnavailable, "the cache may not answer without the server for longer than %v (%s), and the server was asked in vain: %s.", c.o.MaxStale, why, message(err))
}

// keeps tells whether a prompt is one that the cache keeps.
func (c *cached) keeps(id string) bool {
	return len(c.o.Prefixes) == 0 || slices.ContainsFunc(c.o.Prefixes, func(p string) bool { return strings.HasPrefix(id, p) })
}

// Commit implements stet.Backend. What it has changed is given from memory no more
// when it returns.
func (c *cached) Commit(ctx context.Context, cm stet.Commit) (stet.Committed, error) {
	done, err := c.Backend.Commit(ctx, cm)
	switch {
	case err == nil:
		c.wrote(done.Revision, cm.Ops)
	case stet.CodeOf(err) == stet.CodeUnknown:
		c.wrote(0, cm.Ops) // whichever it was, the server is asked
	}
	return done, err
}

// wrote lets go of what was written at a revision.
func (c *cached) wrote(revision uint64, ops []stet.Op) {
	c.mu.Lock()
	x := c.index
	c.mu.Unlock()
	if x == nil {
		return
	}
	for i := range ops {
		if ops[i].Clear != nil {
			c.empty(revision)
			return
		}
		// Without a slot nobody asks for the prompt at present, and who asks from
		// now on gets what was written.
		if s, ok := x.slots.Load(ops[i].PromptID()); ok {
			s.mu.Lock()
			if h := s.held.Load(); revision == 0 || h != nil && h.asOf < revision {
				s.held.Store(nil)
			}
			s.floor = max(s.floor, revision)
			s.mu.Unlock()
		}
	}
}

// Replay implements stet.Backend.
func (c *cached) Replay(ctx context.Context, copies ...stet.Copy) ([]stet.Done, error) {
	all, err := c.Backend.Replay(ctx, copies...)
	switch {
	case stet.CodeOf(err) == stet.CodeUnknown:
		c.empty(0)
	case len(all) > 0:
		c.empty(all[len(all)-1].Revision)
	}
	return all, err
}

// Close implements stet.Backend.
func (c *cached) Close() error {
	c.cancel()
	err := c.Backend.Close() // ends requests under way
	c.work.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale.Stop()
	c.live.Store(nil)
	return err
}

func (c *cached) state() CacheState {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := CacheState{
		Revision: c.pos, Silence: time.Since(c.current), Fresh: c.live.Load() != nil, Err: c.lost,
		Prompts: c.sieve.len, Bytes: c.sieve.bytes, Pending: len(c.dirty),
	}
	if st.Err == nil {
		st.Err = c.failed
	}
	return st
}
