package client

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/sieve"
)

// CacheOptions are the options of a client with a cache. The zero value caches
// every prompt that is asked for.
type CacheOptions struct {
	// Options are those of the client.
	Options
	// Prefixes choose the prompts to cache, by the beginnings of their ids. Their
	// current, latest and labelled versions are read at the start. Other prompts
	// are read from the server each time. Without prefixes the cache keeps every
	// prompt that is asked for.
	Prefixes []string
	// MaxStale is how long the cache answers without news from the server:
	// DefaultMaxStale if 0, at least MinMaxStale.
	MaxStale time.Duration
	// MaxBytes bounds the memory of the cache: 64 MiB if 0. What was used least lately is
	// evicted first.
	MaxBytes int
}

const (
	// DefaultMaxStale is long enough to restart or move a server, and short enough
	// that a prompt which was rolled back is not used for hours.
	DefaultMaxStale = 5 * time.Minute
	// MinMaxStale has room for three of the server's beats, which come once a
	// second at most: one that is late does not make the cache stale.
	MinMaxStale = 3 * time.Second

	defaultCacheBytes = 64 << 20
	// maxRefs is how many selectors of one prompt are cached. They are read again
	// together, so one request must have room for those of many prompts.
	maxRefs = 32
)

// A Cache is a store whose Get answers from memory. It follows the changes of the server,
// and reads a changed prompt again milliseconds after the commit. So an answer is the
// state of a moment ago; AsOf returns its revision.
//
//   - The versions of one prompt never go back: whoever has seen one revision of
//     a prompt through this cache sees no earlier one.
//   - What is written through this cache is seen at once.
//   - Two prompts may be of different revisions. GetMany, Get with options, Head and all other
//     operations ask the server, as without a cache.
//   - The server reports several times in MaxStale. If no report comes, answers
//     come from memory until MaxStale is over. Then each Get asks the server, and
//     an error says what is wrong. When the server is back the cache catches up by
//     itself.
//   - Absence is not cached: each Get of what does not exist asks the server.
//
// Close stops following the server and closes the client.
type Cache struct {
	*stet.Store
	c *cached
}

// OpenCached is [Open] with a cache in front of the server. It returns before the
// cache is filled; see [Cache.Ready]. Options may be nil.
func OpenCached(ctx context.Context, url string, opts *CacheOptions) (*Cache, error) {
	var o CacheOptions
	if opts != nil {
		o = *opts
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	b, err := dial(ctx, url, o.Options)
	if err != nil {
		return nil, err
	}
	return newCache(b, b.follow, o), nil
}

// complete sets defaults, and refuses options that cannot work.
func (o *CacheOptions) complete() error {
	o.MaxStale = cmp.Or(o.MaxStale, DefaultMaxStale)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultCacheBytes)
	o.Prefixes = slices.Clone(o.Prefixes)
	if o.MaxStale < MinMaxStale {
		return stet.Errorf(stet.CodeInvalid, "MaxStale is %v. Give at least %v: the server reports once a second at most.", o.MaxStale, MinMaxStale)
	}
	return nil
}

// CacheState is the state of a cache at one instant.
type CacheState struct {
	// Revision is the newest revision whose change the cache has seen, 0 before it follows
	// the server.
	Revision uint64
	// Silence is how long ago the cache was known to be up to date with the server.
	Silence time.Duration
	// Fresh reports that answers come from memory: Silence is less than MaxStale.
	Fresh bool
	// Err is why there is no connection. If there is one, it is why changed prompts
	// could not be read again; nil if all is well.
	Err error
	// Prompts and Bytes are the size of the cache; Pending is how many prompts are
	// still to be read again.
	Prompts, Bytes, Pending int
}

// State returns the state of the cache.
func (c *Cache) State() CacheState { return c.c.state() }

// Ready waits until the cache follows the server and has read the prompts of its
// prefixes. If ctx or the cache ends first it fails as unavailable, and says why
// the cache is not ready.
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

// cached is the backend of a Cache. These rules keep its answers right:
//
//  1. The feed has every change after index.from, in order. A slot is in the index
//     before its prompt is read, so every change that is newer than the answer
//     reaches the slot.
//  2. Neither the snapshot of a slot nor what is returned from it gets older:
//     slot.minRevision is the newest revision that was returned or written through
//     this cache, and an older answer is asked for again.
//  3. A slot whose snapshot is older than a change of its prompt is dirty until it
//     is read again. Its old snapshot is used for at most MaxStale.
//  4. live is nil, and nothing is answered from memory, unless the server has
//     reported within MaxStale.
type cached struct {
	stet.Backend
	follow followFunc
	o      CacheOptions

	// live is the index while answers may come from it.
	live atomic.Pointer[index]

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu           sync.Mutex
	index        *index // nil until the feed has begun
	storeID      string
	scope        string    // the prompts whose changes the feed has
	revision     uint64    // position of the feed
	caughtUpAt   time.Time // when the cache last had every change
	newest       uint64    // the store's newest revision at newestAt
	newestAt     time.Time // zero if the server has not reported since caughtUpAt
	connErr      error     // why there is no connection
	readErr      error     // why the last read of dirty slots failed
	stale        *time.Timer
	sieve        sieve.List[*slot]
	dirty        map[*slot]time.Time // slots to read again, and since when
	needsListing bool                // the prompts of the prefixes are still to be listed
	batch        int                 // references in one request of the reader, 0 for the default; only the reader uses it

	wake      chan struct{} // there is work for the reader
	ready     chan struct{}
	readyOnce sync.Once
}

// A followFunc follows the changes of a server; see [backend.follow].
type followFunc func(context.Context, followOptions) iter.Seq2[update, error]

func newCache(inner stet.Backend, follow followFunc, o CacheOptions) *Cache {
	c := &cached{
		Backend: inner, follow: follow, o: o,
		caughtUpAt: time.Now(), dirty: make(map[*slot]time.Time),
		wake: make(chan struct{}, 1), ready: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.stale = time.AfterFunc(o.MaxStale, c.checkStale)
	c.work.Go(c.runFeed)
	c.work.Go(c.runReader)
	return &Cache{stet.New(c), c}
}

// Get implements stet.Backend.
func (c *cached) Get(ctx context.Context, id, sel string) (stet.Version, error) {
	if x := c.live.Load(); x != nil {
		if s, ok := x.slots.Load(id); ok {
			if h := s.snapshot.Load(); h != nil {
				if v := h.find(sel); v != nil {
					s.entry.Touch()
					return *v, nil
				}
			}
		}
	}
	return c.miss(ctx, id, sel)
}

// miss answers a Get that the cache cannot answer.
func (c *cached) miss(ctx context.Context, id, sel string) (stet.Version, error) {
	if sel == "current" {
		if x := c.live.Load(); x != nil {
			if s, ok := x.slots.Load(id); ok {
				if v := s.snapshot.Load().find(""); v != nil {
					s.entry.Touch()
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
	if x == nil || !c.wants(id) {
		v, err = c.Backend.Get(ctx, id, sel)
	} else {
		s := c.slot(x, id)
		v, err = c.fetch(ctx, s, sel)
		if err != nil {
			c.removeEmpty(s)
		}
	}
	if stet.CodeOf(err) == stet.CodeUnavailable && c.live.Load() == nil {
		return v, c.staleError(err)
	}
	return v, err
}

// staleError adds to an error of the server why the cache could not answer.
func (c *cached) staleError(err error) error {
	st := c.state()
	why := "it has not been reached yet"
	if st.Revision > 0 {
		why = fmt.Sprintf("the last news was %v ago, at revision %d", st.Silence.Round(time.Millisecond), st.Revision)
	}
	if st.Err != nil {
		why += ": " + message(st.Err)
	}
	return stet.WrapError(err, stet.CodeUnavailable, "the cache has had no news for more than its MaxStale of %v (%s), and the server cannot be asked: %s.", c.o.MaxStale, why, message(err))
}

// wants reports whether the cache keeps a prompt.
func (c *cached) wants(id string) bool {
	return len(c.o.Prefixes) == 0 || slices.ContainsFunc(c.o.Prefixes, func(p string) bool { return strings.HasPrefix(id, p) })
}

// Commit implements stet.Backend. When it returns, what it changed is no longer answered
// from memory until it was read again.
func (c *cached) Commit(ctx context.Context, cm stet.Commit) (stet.Done, error) {
	done, err := c.Backend.Commit(ctx, cm)
	switch {
	case err == nil:
		c.invalidateWritten(done.Revision, cm.Ops)
	case stet.CodeOf(err) == stet.CodeUnknown:
		c.invalidateWritten(0, cm.Ops) // applied or not: ask the server
	}
	return done, err
}

// invalidateWritten drops the snapshots of what was written at a revision, 0 for an
// unknown one.
func (c *cached) invalidateWritten(revision uint64, ops []stet.Op) {
	c.mu.Lock()
	x := c.index
	c.mu.Unlock()
	if x == nil {
		return
	}
	for i := range ops {
		if ops[i].Clear != nil {
			c.clearBefore(revision)
			return
		}
		// A prompt without a slot is read from the server next time.
		if s, ok := x.slots.Load(ops[i].PromptID()); ok {
			s.mu.Lock()
			if h := s.snapshot.Load(); revision == 0 || h != nil && h.asOf < revision {
				s.snapshot.Store(nil)
			}
			s.minRevision = max(s.minRevision, revision)
			s.mu.Unlock()
		}
	}
}

// Replay implements stet.Backend.
func (c *cached) Replay(ctx context.Context, copies ...stet.Copy) ([]stet.Done, error) {
	all, err := c.Backend.Replay(ctx, copies...)
	switch {
	case stet.CodeOf(err) == stet.CodeUnknown:
		c.clearBefore(0)
	case len(all) > 0:
		c.clearBefore(all[len(all)-1].Revision)
	}
	return all, err
}

// Close implements stet.Backend.
func (c *cached) Close() error {
	c.cancel()
	err := c.Backend.Close() // ends the requests under way
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
		Revision: c.revision, Silence: time.Since(c.caughtUpAt), Fresh: c.live.Load() != nil, Err: c.connErr,
		Prompts: c.sieve.Len(), Bytes: c.sieve.Bytes(), Pending: len(c.dirty),
	}
	if st.Err == nil {
		st.Err = c.readErr
	}
	return st
}
