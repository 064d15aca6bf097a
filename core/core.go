// Package core is the one state machine of stet: it decides what commits mean,
// keeps the heads of all prompts in memory, and answers reads from them. It does
// so once, for every engine; an engine ([driver.Log]) only keeps the log.
//
// docs/design.md has the argument why what it promises holds.
package core

import (
	"context"
	"errors"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/puzpuzpuz/xsync/v4"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// DefaultCacheBytes bounds the bodies that are kept decoded. 64 MiB holds some
// 30,000 prompts of 1.5 KB: the hot ones of any application.
const DefaultCacheBytes = 64 << 20

// Options change how a store works over an engine. The zero value is ready to use.
type Options struct {
	// CacheBytes bounds the memory of cached bodies: DefaultCacheBytes if 0, no
	// cache if negative. It has no effect on an engine that keeps bodies in memory
	// anyway.
	CacheBytes int

	// MaxBatch bounds the commits that are written together; 0 means 1,024.
	MaxBatch int

	// CheckpointEvery is after how many commits a checkpoint is made, for an engine
	// that keeps checkpoints. Negative means never. 0 means after 10,000 operations, or
	// as much work in bytes, but not before these are a quarter of the log and four for
	// each prompt that has changed.
	CheckpointEvery int

	// Now is the clock; time.Now if nil.
	Now func() time.Time

	// NewID makes the id of a commit that was given none: a UUID of version 7
	// if nil.
	NewID func() string
}

// A core is a store over one engine: a stet.Backend and a stet.Monitor. Its methods may
// be called by many goroutines at once.
type core struct {
	engine driver.Log // as it was opened; it may have further abilities
	log    driver.Log // the same, with bounds on how long a shared one may take
	info   driver.Info
	opts   Options

	// published is what readers see.
	published atomic.Pointer[snapshot]
	news      news
	cache     *cache
	stats     stats

	// state is held by whoever changes published: the writer while it decides a batch
	// and when that is in the log, and whoever reads the log for what is new. It is
	// never held during an Append.
	state sync.Mutex
	ids   ids       // guarded by state
	dirty *dirtySet // guarded by state; nil if the engine keeps no checkpoints

	// appending is full from when the writer appends until it has published. Who has news of
	// a shared log waits for that, as the news may be that append.
	appending chan struct{}

	barrier  barrier
	refusals refusals               // only the writer uses it
	lost     lost                   // only the writer uses it
	hints    map[hintKey]numberHint // of what is published; only the writer uses it

	checkpointed checkpointed // only the writer uses it

	queue   chan *request
	closing chan struct{} // closed when Close begins
	stopped chan struct{} // closed when the writer is gone
	work    sync.WaitGroup
	once    sync.Once
	closed  error

	// ctx ends when the core is closed; cancel ends it.
	ctx    context.Context
	cancel context.CancelFunc

	inCommit atomic.Int64 // callers in Commit: what the writer may wait for
}

// queueLen is how many requests the queue holds: enough that the writer never idles,
// and a bound on what a burst can hold in memory. Further callers wait to queue theirs.
const queueLen = 1024

// Open returns the store that is in an engine's log. It takes the log over: closing the
// store closes it, and so does a failure to open. Options may be nil. It is for engines;
// programs call the engine's own Open.
func Open(ctx context.Context, log driver.Log, opts *Options) (*stet.Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	c, err := open(ctx, log, o)
	if err != nil {
		return nil, err
	}
	return stet.New(c), nil
}

func open(ctx context.Context, log driver.Log, opts Options) (*core, error) {
	if opts.CacheBytes == 0 {
		opts.CacheBytes = DefaultCacheBytes
	}
	if opts.MaxBatch == 0 {
		opts.MaxBatch = 1024
	}
	opts.MaxBatch = max(opts.MaxBatch, 1)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.NewID == nil {
		opts.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	c := &core{
		engine: log, log: log, info: log.Info(), opts: opts,
		queue:   make(chan *request, queueLen),
		closing: make(chan struct{}), stopped: make(chan struct{}), appending: make(chan struct{}, 1),
		ids: newIDs(),
	}
	if !c.info.Exclusive {
		c.log = boundedLog{log}
	}
	limit := max(opts.CacheBytes, 1) // 1 byte: nothing fits
	if c.info.Resident {
		limit = 0
	}
	c.cache = &cache{limit: limit}
	c.published.Store(emptySnapshot())
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if err := c.load(ctx); err != nil {
		c.cancel()
		return nil, errors.Join(err, log.Close())
	}
	go c.write()
	if !c.info.Exclusive {
		c.work.Go(c.followLog)
	}
	return c, nil
}

// load brings the state up to the log's tail, from a checkpoint if there is one.
func (c *core) load(ctx context.Context) error {
	c.state.Lock()
	defer c.state.Unlock()
	if err := c.loadCheckpoint(ctx); err != nil {
		return err
	}
	tail, err := c.log.Barrier(ctx)
	if err != nil {
		return stet.WrapError(err, stet.CodeUnavailable, "the log could not be asked for its end: %v.", err)
	}
	return c.catchUpTo(ctx, tail)
}

// Info returns the store's id and the kind of engine.
func (c *core) Info() stet.Info { return stet.Info{StoreID: c.info.StoreID, Engine: c.info.Engine} }

// Writing implements stet.Monitor.
func (c *core) Writing() context.Context {
	if s, ok := c.engine.(driver.Stopper); ok {
		return s.Writing()
	}
	return context.Background()
}

// Revision returns the revision that reads are of now.
func (c *core) Revision() uint64 { return c.published.Load().revision }

// Tail returns what reads are of now. It does no I/O and does not fail.
func (c *core) Tail(context.Context) (stet.Tail, error) {
	s := c.published.Load()
	return stet.Tail{Revision: s.revision, Hash: s.hash, Epoch: s.epoch, Cleared: s.cleared}, nil
}

// Close finishes the commits that were accepted, refuses others, and closes the
// log. Subscribers end. Further calls return what the first returned.
func (c *core) Close() error {
	c.once.Do(func() {
		close(c.closing)
		<-c.stopped
		c.cancel()
		c.work.Wait()
		err := c.saveCheckpoint(context.Background())
		// Reads find nothing in memory any more, and then see that the store is closed.
		s := *c.published.Load()
		s.slots, s.tree = xsync.NewMap[string, *slot](), newHeads()
		c.published.Store(&s)
		if cerr := c.log.Close(); cerr != nil {
			err = errors.Join(err, stet.WrapError(cerr, stet.CodeInternal, "the store was not closed cleanly: %v.", cerr))
		}
		c.closed = err
	})
	return c.closed
}

// stats are the counters of a core.
type stats struct {
	commits, replayed, conflicts, refused, failed atomic.Uint64
	batches                                       [stet.BatchBuckets]atomic.Uint64
	gets, hits, misses                            atomic.Uint64
	looked                                        atomic.Uint64 // versions that reads looked at one by one; for tests
}

// batch counts an append of n entries.
func (s *stats) batch(n int) {
	if n == 0 {
		return
	}
	s.commits.Add(uint64(n))
	s.batches[min(bits.Len(uint(n-1)), stet.BatchBuckets-1)].Add(1)
}

// outcome counts the answer to a commit.
func (s *stats) outcome(out *outcome) {
	switch stet.CodeOf(out.err) {
	case "":
		if out.replayed {
			s.replayed.Add(1)
		}
	case stet.CodeConflict:
		s.conflicts.Add(1)
	case stet.CodeUnavailable, stet.CodeUnknown, stet.CodeInternal:
		s.failed.Add(1)
	default:
		s.refused.Add(1)
	}
}

// Stats implements stet.Monitor. The counters are read one after the other while they
// may go on.
func (c *core) Stats() stet.Stats {
	s := &c.stats
	out := stet.Stats{
		Queued:  len(c.queue),
		Commits: s.commits.Load(), Replayed: s.replayed.Load(), Conflicts: s.conflicts.Load(),
		Refused: s.refused.Load(), Failed: s.failed.Load(),
		Gets: s.gets.Load(), Hits: s.hits.Load(), Misses: s.misses.Load(),
	}
	for i := range out.Batches {
		out.Batches[i] = s.batches[i].Load()
	}
	return out
}

// Backup has the engine copy the store to a file, and returns the revision and
// the hash of the last entry that is in it.
func (c *core) Backup(ctx context.Context, path string, o stet.BackupOptions) (uint64, stet.Hash, error) {
	if c.ctx.Err() != nil {
		return 0, stet.Hash{}, errClosed()
	}
	b, ok := c.engine.(driver.Backuper)
	if !ok {
		return 0, stet.Hash{}, stet.Errorf(stet.CodeInvalid, "a store of the engine %s cannot be backed up to a file. Export it.", c.info.Engine)
	}
	tail, err := b.Backup(ctx, path, driver.BackupOptions(o))
	var e *stet.Error
	switch {
	case err != nil && c.ctx.Err() != nil:
		return 0, stet.Hash{}, errClosed()
	case errors.As(err, &e):
		return 0, stet.Hash{}, err
	case err != nil:
		return 0, stet.Hash{}, stet.WrapError(err, stet.CodeUnavailable, "the store could not be backed up: %v. Nothing was left.", err)
	}
	return tail.Revision, tail.Hash, nil
}
