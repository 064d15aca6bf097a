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

// Options configure Open. The zero value is good.
type Options struct {
	// Options are those of a store over any engine. Now is also the clock for the times in
	// the lock and in a new file.
	core.Options
	// Wait is how long to wait while another program has the store open.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait. holder says which program
	// has the store open.
	Waiting func(holder string)
}

// Open opens the store in a file. If there is no file, it creates a new store. The caller
// closes the store. Options may be nil. If another program has the store open for longer
// than Wait, the error is unavailable and names that program.
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

// A Log is a log in an SQLite file. It implements [driver.Log], [driver.Checkpointer],
// [driver.Stopper], [driver.Checker] and [driver.Backuper].
type Log struct {
	path       string
	storeID    string
	lock       *filelock.Lock
	files      openFiles
	readers    *pool
	jobs       *pool         // for checks and backups
	backupLock chan struct{} // has an element while a backup is made

	// Only the goroutine that holds the writer uses the fields down to bodies. It has sent
	// to the channel writer; see lockWriter.
	writer       chan struct{}
	w            *conn
	last         state // of the file after this process's last write
	walPages     int   // pages in the WAL that are not in the file
	walLimit     int   // from this many on the WAL is emptied
	reserve      reserve
	purgePending bool // there may be bodies to purge
	bodies       []*driver.Body

	tail    atomic.Pointer[driver.Tail]
	cleared atomic.Uint64 // the bodies of earlier revisions are gone
	stopped atomic.Pointer[failure]

	// writing ends when the log stops writing for good. Its cause says why.
	writing    context.Context
	endWriting context.CancelCauseFunc

	// ctx ends when the log is closed.
	ctx        context.Context
	cancel     context.CancelFunc
	wake       chan struct{} // there may be work for maintain
	background sync.WaitGroup
	once       sync.Once
	closed     error
}

var (
	_ driver.Log          = (*Log)(nil)
	_ driver.Checkpointer = (*Log)(nil)
	_ driver.Stopper      = (*Log)(nil)
	_ driver.Checker      = (*Log)(nil)
	_ driver.Backuper     = (*Log)(nil)
)

const (
	// busyTimeout, in milliseconds, is the longest wait for another program that holds
	// SQLite's lock. The sqlite3 command line holds it only for moments.
	busyTimeout = 5000
	// walBytes is how large the WAL may get before its pages are moved to the file: large
	// enough that thousands of saves share one sync of the file, small enough that
	// recovery after a crash takes no noticeable time.
	walBytes = 8 << 20
)

// pragmas are set on every connection.
func pragmas() []string {
	return []string{
		fmt.Sprintf("busy_timeout = %d", busyTimeout),
		"synchronous = FULL",
		"fullfsync = ON", // this and the next have an effect only on macOS
		"checkpoint_fullfsync = ON",
		"trusted_schema = OFF", // run no code from the file
		"cell_size_check = ON", // find damage when a page is read
		"temp_store = MEMORY",
	}
}

// OpenLog opens only the log, of which [core.Open] makes a store. It uses the options Wait,
// Waiting and Now.
func OpenLog(ctx context.Context, path string, opts *Options) (*Log, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	return openLog(ctx, path, o, schema)
}

// openLog is OpenLog with the steps of the schema, which tests replace.
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
	l := &Log{path: full, lock: lock, writer: make(chan struct{}, 1), backupLock: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.writing, l.endWriting = context.WithCancelCause(context.Background())
	l.readers, l.jobs = newPool(full, readers, l.ctx.Done(), l.files.check), newPool(full, jobs, l.ctx.Done(), l.files.check)
	if err = l.open(o.Now(), steps); err == nil {
		err = l.readers.open()
	}
	if err != nil {
		l.cancel()
		err = errors.Join(err, l.readers.close())
		if l.w != nil {
			err = errors.Join(err, l.w.close())
		}
		err = openError(err, full)
		if _, serr := os.Lstat(full); stet.CodeOf(err) == stet.CodeInvalid || errors.Is(serr, os.ErrNotExist) {
			// There is no store, or none that this stet can open: leave no lock beside it.
			return nil, errors.Join(err, lock.Discard())
		}
		return nil, errors.Join(err, lock.Release())
	}
	if page, err := l.w.integer("PRAGMA page_size"); err == nil {
		l.reserve = newReserve(full, page)
	}
	l.purgePending = true // an earlier process may not have finished
	l.wakeMaintain()
	l.background.Go(l.maintain)
	return l, nil
}

// lockOptions returns the options of filelock.Acquire.
func lockOptions(wait time.Duration, waiting func(holder string), now func() time.Time) filelock.Options {
	o := filelock.Options{Wait: wait, Now: now}
	if waiting != nil {
		o.Waiting = func(h filelock.Holder) { waiting(h.String()) }
	}
	return o
}

// open connects to the file, which it creates if there is none. The lock is held.
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
	temp.RemoveLeftovers(l.path) // before CheckOneName: a process that was killed may have left a second name
	if err := dbfile.CheckOneName(l.path); err != nil {
		return err
	}
	recovered, err := syncWAL(l.path)
	if err != nil {
		return err
	}
	// WAL mode comes later: a file of another application must not be changed.
	if l.w, err = connect(l.path, readWrite, pragmas()...); err != nil {
		return err
	}
	from, err := version(l.w, l.path, steps)
	if err != nil {
		return err
	}
	if ro, err := l.w.raw.IsReadOnly("main"); err != nil || ro {
		return dbfile.ReadOnlyError(err, l.path)
	}
	if err := checkSize(l.w, l.path); err != nil {
		return err
	}
	if mode, err := l.w.text("PRAGMA journal_mode = WAL"); err != nil || mode != "wal" {
		return errors.Join(fmt.Errorf("SQLite stays in the journal mode %q and does not change to WAL", mode), err)
	}
	// The engine empties the WAL itself: SQLite would do it inside a COMMIT, and not
	// report a failed sync.
	for _, p := range []string{"wal_autocheckpoint = 0", "journal_size_limit = 67108864", "cache_size = -16000"} {
		if err := l.w.script("PRAGMA " + p); err != nil {
			return err
		}
	}
	if err := migrate(l.w, from, steps, nil); err != nil {
		return err
	}
	if l.last, err = readState(l.w); err != nil {
		return err
	}
	if l.files, err = findFiles(l.path, l.lock); err != nil {
		return err
	}
	if l.storeID = l.last.storeID; l.storeID == "" {
		return damaged(nil, l.path, "its table meta has no store_id")
	}
	size, err := l.w.integer("PRAGMA page_size")
	if err != nil {
		return err
	}
	l.walLimit = walBytes / int(size)
	if recovered {
		l.walPages = l.walLimit // so that maintain empties it
	}
	tail := l.last.tail
	l.tail.Store(&tail)
	l.cleared.Store(l.last.cleared)
	return nil
}

// Info implements driver.Log.
func (l *Log) Info() driver.Info {
	return driver.Info{StoreID: l.storeID, Engine: "sqlite", Exclusive: true}
}

// Barrier implements driver.Log. The log is exclusive, so that its own tail is the newest.
func (l *Log) Barrier(context.Context) (driver.Tail, error) {
	if l.ctx.Err() != nil {
		return driver.Tail{}, errClosed
	}
	return *l.tail.Load(), nil
}

// Writing implements driver.Stopper.
func (l *Log) Writing() context.Context { return l.writing }

// Close implements driver.Log. It waits for running statements.
func (l *Log) Close() error {
	l.once.Do(func() {
		l.cancel()
		l.background.Wait()
		l.writer <- struct{}{} // and keep it
		var errs []error
		if l.stopped.Load() == nil {
			if err := l.checkFiles(); err != nil {
				errs = append(errs, err)
			}
		}
		if s := l.stopped.Load(); s == nil || errors.Is(s, errFilesMoved) {
			if l.files.foreignWAL() {
				// SQLite would remove it as the log's own.
				errs = append(errs, l.w.keepWAL())
			}
			// The last connection that is closed moves the WAL to the file, which
			// a reader cannot do.
			errs = append(errs, l.jobs.close(), l.readers.close())
			if s != nil {
				l.flushWAL() // now that no reader needs the old pages
			}
			errs = append(errs, l.w.close())
		} else {
			// Write nothing more: the last connection must be a reader's.
			l.readers.keepOne()
			errs = append(errs, l.jobs.close(), l.w.close(), l.readers.close())
		}
		errs = append(errs, l.reserve.close(), l.lock.Release())
		if err := errors.Join(errs...); err != nil {
			l.closed = fmt.Errorf("closing %s: %w", filepath.Base(l.path), err)
		}
	})
	return l.closed
}
