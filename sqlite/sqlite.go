package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/dbfile"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/temp"
)

// Options are how the store in a file is opened. The zero value is good.
type Options struct {
	// Options are those of a store over any engine. Now is also the clock for what is
	// noted in the lock and in a new file.
	core.Options
	// Wait is how long to wait for another program that has the store open.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait, with who it is.
	Waiting func(holder string)
}

// Open opens the store in a file, which it makes if there is none. The store is
// the caller's to close. Options may be nil. If another program has the store open
// for longer than Wait, Open fails with unavailable and says who it is.
func Open(ctx context.Context, path string, opts *Options) (*stet.Store, error) {
	if opts == nil {
		opts = &Options{}
	}
	log, err := OpenLog(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	return core.Open(ctx, log, &opts.Options)
}

// A Log is a log in a SQLite file. It implements [driver.Log],
// [driver.Checkpointer], [driver.Stopper], [driver.Checker] and [driver.Backuper].
type Log struct {
	path    string
	storeID string
	lock    *filelock.Lock
	place   place
	readers *pool
	jobs    *pool         // for checks and backups
	copying chan struct{} // held while a backup is made

	// The writing connection, and what goes with it, belong to whoever has sent
	// on turn. Those who wait get it in the order in which they came.
	turn    chan struct{}
	w       *conn
	left    state // as this process left the file
	wal     int   // pages in the WAL that are not in the file
	limit   int   // of wal, before it is emptied
	reserve reserve
	litter  bool // there may be bodies to purge
	bodies  []*driver.Body

	tail    atomic.Pointer[driver.Tail]
	cleared atomic.Uint64 // bodies of earlier revisions are gone
	stopped atomic.Pointer[failure]

	// writing ends, with the reason as its cause, when the log writes no more.
	writing    context.Context
	endWriting context.CancelCauseFunc

	// ctx ends when the log is closed.
	ctx    context.Context
	cancel context.CancelFunc
	poke   chan struct{} // there may be something to tend
	work   sync.WaitGroup
	once   sync.Once
	closed error
}

var (
	_ driver.Log          = (*Log)(nil)
	_ driver.Checkpointer = (*Log)(nil)
	_ driver.Stopper      = (*Log)(nil)
	_ driver.Checker      = (*Log)(nil)
)

const (
	// busyTimeout, in milliseconds, bounds the wait for another program that
	// holds SQLite's lock: the sqlite3 command line holds it for moments.
	busyTimeout = 5000
	// walBytes is how large the WAL may get before its pages are moved to the
	// file: large enough that a sync of the file is shared by thousands of saves,
	// small enough that a crash costs no time to recover from.
	walBytes = 8 << 20
)

// pragmas are set on every connection.
func pragmas() []string {
	return []string{
		fmt.Sprintf("busy_timeout = %d", busyTimeout),
		"synchronous = FULL",
		"fullfsync = ON", // these two count on macOS only
		"checkpoint_fullfsync = ON",
		"trusted_schema = OFF", // what a file says is not to be run
		"cell_size_check = ON", // find a damaged page when it is read
		"temp_store = MEMORY",
	}
}

// OpenLog is Open for the log alone, which package core makes a store of. Of the
// options it reads Wait, Waiting and Now.
func OpenLog(ctx context.Context, path string, opts *Options) (*Log, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	return openLog(ctx, path, o, schema)
}

func openLog(ctx context.Context, path string, o Options, steps []string) (_ *Log, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	full, _, err := dbfile.Locate(path)
	if err != nil {
		return nil, err
	}
	lock, err := dbfile.Lock(ctx, full, lockOptions(o.Wait, o.Waiting, o.Now))
	if err != nil {
		return nil, err
	}
	l := &Log{path: full, lock: lock, turn: make(chan struct{}, 1), copying: make(chan struct{}, 1), poke: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.writing, l.endWriting = context.WithCancelCause(context.Background())
	l.readers, l.jobs = newPool(full, readers, l.ctx.Done(), l.place.check), newPool(full, jobs, l.ctx.Done(), l.place.check)
	if err = l.open(o.Now(), steps); err == nil {
		err = l.readers.open()
	}
	if err != nil {
		l.cancel()
		err = errors.Join(err, l.readers.close())
		if l.w != nil {
			err = errors.Join(err, l.w.close())
		}
		err = refusal(err, full)
		if _, serr := os.Lstat(full); stet.CodeOf(err) == stet.CodeInvalid || errors.Is(serr, os.ErrNotExist) {
			// It is no store of this stet's, or there is none: leave nothing beside it.
			return nil, errors.Join(err, lock.Discard())
		}
		return nil, errors.Join(err, lock.Release())
	}
	if page, err := l.w.integer("PRAGMA page_size"); err == nil {
		l.reserve = newReserve(full, page)
	}
	l.litter = true // what a process before this one left undone
	l.stir()
	l.work.Go(l.tend)
	return l, nil
}

// lockOptions returns how the lock is taken.
func lockOptions(wait time.Duration, waiting func(holder string), now func() time.Time) filelock.Options {
	o := filelock.Options{Wait: wait, Now: now}
	if waiting != nil {
		o.Waiting = func(h filelock.Holder) { waiting(h.String()) }
	}
	return o
}

// open connects to the file, once the lock is held.
func (l *Log) open(now time.Time, steps []string) error {
	info, err := os.Stat(l.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := create(l.path, steps, now); err != nil {
			return err
		}
	case err != nil:
		return err
	case info.Size() == 0:
		return damaged(nil, l.path, "it is empty (0 bytes), which a stet store never is")
	}
	temp.Sweep(l.path) // before its names are counted: a copy that was put may have had two
	if err := dbfile.OneName(l.path); err != nil {
		return err
	}
	recovered, err := syncWAL(l.path)
	if err != nil {
		return err
	}
	// A file of another application must be left as it is: WAL comes later.
	if l.w, err = connect(l.path, readWrite, pragmas()...); err != nil {
		return err
	}
	from, err := version(l.w, l.path, steps)
	if err != nil {
		return err
	}
	if ro, err := l.w.raw.IsReadOnly("main"); err != nil || ro {
		return dbfile.ReadOnly(err, l.path)
	}
	if err := whole(l.w, l.path); err != nil {
		return err
	}
	if mode, err := l.w.text("PRAGMA journal_mode = WAL"); err != nil || mode != "wal" {
		return errors.Join(fmt.Errorf("SQLite keeps the journal mode %q and does not take WAL", mode), err)
	}
	// The engine empties the WAL itself: SQLite would do so inside a COMMIT and
	// tell nobody when a sync fails.
	for _, p := range []string{"wal_autocheckpoint = 0", "journal_size_limit = 67108864", "cache_size = -16000"} {
		if err := l.w.script("PRAGMA " + p); err != nil {
			return err
		}
	}
	if err := migrate(l.w, from, steps, nil); err != nil {
		return err
	}
	if l.left, err = look(l.w); err != nil {
		return err
	}
	if l.place, err = settle(l.path, l.lock); err != nil {
		return err
	}
	if l.storeID = l.left.storeID; l.storeID == "" {
		return damaged(nil, l.path, "its table meta has no store_id")
	}
	size, err := l.w.integer("PRAGMA page_size")
	if err != nil {
		return err
	}
	l.limit = walBytes / int(size)
	if recovered {
		l.wal = l.limit // it is emptied soon
	}
	tail := l.left.tail
	l.tail.Store(&tail)
	l.cleared.Store(l.left.cleared)
	return nil
}

// Info implements driver.Log.
func (l *Log) Info() driver.Info {
	return driver.Info{StoreID: l.storeID, Engine: "sqlite", Exclusive: true}
}

// Barrier implements driver.Log. Nobody else appends: the tail is this log's own.
func (l *Log) Barrier(context.Context) (driver.Tail, error) {
	if l.ctx.Err() != nil {
		return driver.Tail{}, errClosed
	}
	return *l.tail.Load(), nil
}

// Writing implements driver.Stopper.
func (l *Log) Writing() context.Context { return l.writing }

// Close implements driver.Log. It waits for the statements that run.
func (l *Log) Close() error {
	l.once.Do(func() {
		l.cancel()
		l.work.Wait()
		l.turn <- struct{}{} // and nobody gets it again
		var errs []error
		if l.stopped.Load() == nil {
			if err := l.settled(); err != nil {
				errs = append(errs, err)
			}
		}
		if s := l.stopped.Load(); s == nil || errors.Is(s, errMoved) {
			if l.place.foreignWAL() {
				// It would be removed as the log's own.
				errs = append(errs, l.w.keepWAL())
			}
			// The last connection that goes moves the WAL to the file, and
			// readers cannot.
			errs = append(errs, l.jobs.close(), l.readers.close())
			if s != nil {
				l.leave() // no reader is in the way any more
			}
			errs = append(errs, l.w.close())
		} else {
			// Write no more: the last connection is a reader's.
			l.readers.hold()
			errs = append(errs, l.jobs.close(), l.w.close(), l.readers.close())
		}
		errs = append(errs, l.reserve.close(), l.lock.Release())
		if err := errors.Join(errs...); err != nil {
			l.closed = fmt.Errorf("closing %s: %w", filepath.Base(l.path), err)
		}
	})
	return l.closed
}
