package keys

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
)

// PollEvery is how often a ring looks whether its file has changed. A key that is
// revoked ends within that time and what a look takes: well within five seconds.
const PollEvery = 2 * time.Second

// refuseAfter is how long a ring may not know what its file says before it lets nobody
// in: what was revoked meanwhile must have ended within five seconds. It is time for
// two looks.
const refuseAfter = 4500 * time.Millisecond

// wakeUp is how late the time to refuse may be noticed before that means that the process
// did not run: it was stopped, or its machine slept. Then there is as long for a look.
const wakeUp = 400 * time.Millisecond

// complainEvery is how many looks at a file that cannot be used come between two
// lines in the log: a minute.
const complainEvery = 30

// Options change how a ring works. The zero value is good.
type Options struct {
	// Now is the clock by which keys expire; time.Now if nil.
	Now func() time.Time
	// Log gets what operators must know: slog.Default if nil.
	Log *slog.Logger
}

// A Ring follows a key file: it looks at the file every PollEvery, and reads it if it has
// changed.
//
//   - While the file is broken, the last good one counts, and the log says so every minute.
//   - A file that cannot be read may have revoked any key. When that has lasted for almost
//     five seconds, whatever the reason, what was begun with a key ends, and every key is
//     refused as unavailable until the file can be read. Time in which the process does
//     not run is not counted.
//   - A file that was removed has no keys: everybody is refused.
//   - As long as the file never had a key the ring is open; see [Ring.Open]. After a file
//     that could not be read for so long it is not open any more.
//
// Its methods may be called by any number of goroutines at once.
type Ring struct {
	path string
	o    Options

	state atomic.Pointer[state]
	open  *life // ends when the first key is there

	stop context.CancelFunc
	done chan struct{}
	wake chan struct{} // asks for a look now

	mu     sync.Mutex // of who publishes a state
	known  time.Time  // when it was last known what the file says
	woken  bool       // the process did not run since, and has a moment to look
	expiry *time.Timer

	// What follows is the looking goroutine's own, after Open.
	seen     fs.FileInfo // the file that was read last; nil for none
	settled  bool        // seen was read again later than it was changed
	warned   bool        // that others can read it
	failures int         // looks in a row that found a file that cannot be used
}

// A state is one reading of the file. It is immutable but for what its grants'
// lives say.
type state struct {
	open   bool // there never was a key
	stale  bool // nobody knows what the file says now
	grants map[string]*Grant
	file   *File
}

// Open reads a key file and follows it until Close. A file that is missing is no error:
// the ring is open. For one that cannot be used the error is that of [Read]. Options may
// be nil.
func Open(path string, opts *Options) (*Ring, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Ring{path: path, o: o, open: newLife(), done: make(chan struct{}), wake: make(chan struct{}, 1)}
	r.state.Store(&state{open: true, file: &File{}})
	if err := r.reload(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	r.known = time.Now()
	r.expiry = time.AfterFunc(refuseAfter, r.refuse)
	go r.watch(ctx)
	return r, nil
}

// Close stops following the file. Grants stay as they are, and their lives do not end.
func (r *Ring) Close() {
	r.stop()
	<-r.done
	r.expiry.Stop()
}

// Open reports whether the file never had a key while the ring followed it. Nobody can
// have a key then, so a server asks for none.
func (r *Ring) Open() bool { return r.state.Load().open }

// OpenLife is a context that is done once the ring is not open any more: what was begun
// without a key ends then.
func (r *Ring) OpenLife() context.Context { return r.open.ctx }

func (r *Ring) watch(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(PollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.wake:
		}
		r.look()
	}
}

// look reads the file if it has changed, and ends what has expired.
func (r *Ring) look() {
	info, err := os.Stat(r.path)
	same := err == nil && r.seen != nil && os.SameFile(info, r.seen) && info.Size() == r.seen.Size() && info.ModTime().Equal(r.seen.ModTime())
	err = nil
	if stale := r.state.Load().stale; !same || !r.settled || r.failures > 0 || stale {
		// A file is read once more after it was found changed: a second change
		// within the grain of the file system's clock would not show.
		r.settled = same
		if err = r.reload(); err != nil {
			if r.failures%complainEvery == 0 {
				r.o.Log.Error("the key file cannot be used; "+untilThen(err), "file", r.path, "error", err)
			}
			r.failures++
		} else if r.failures > 0 || stale {
			r.o.Log.Info("the key file can be used again", "file", r.path)
			r.failures = 0
		}
	}
	if stet.CodeOf(err) != stet.CodeUnavailable {
		r.mu.Lock()
		r.known, r.woken = time.Now(), false
		r.mu.Unlock()
		r.expiry.Reset(refuseAfter)
	}
	now := r.o.Now()
	for _, g := range r.state.Load().grants {
		if !g.key.Live(now) {
			g.life.end()
		}
	}
}

// untilThen says what holds while the file cannot be used.
func untilThen(err error) string {
	if stet.CodeOf(err) == stet.CodeUnavailable {
		return "who shows a key is refused if that lasts, since it may have been revoked"
	}
	return "the keys are those of its last good state, and what was revoked since is not"
}

// refuse lets nobody in until the file was read, if nobody has known for long what it
// says: it could not be read, or the looking itself hangs.
func (r *Ring) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch unknown := time.Since(r.known); {
	case unknown < refuseAfter:
		return // it was known meanwhile
	case unknown >= refuseAfter+wakeUp && !r.woken:
		r.woken = true
		select {
		case r.wake <- struct{}{}:
		default: // it is asked for
		}
		r.expiry.Reset(wakeUp)
		return
	}
	next := *r.state.Load()
	next.open, next.stale = false, true
	r.state.Store(&next)
	r.open.end()
	for _, g := range next.grants {
		g.life.end()
	}
	r.o.Log.Error("the key file could not be read for so long that keys may have been revoked: every key is refused until it can be read", "file", r.path, "for", refuseAfter)
}

// reload makes the ring what the file says.
func (r *Ring) reload() error {
	info, err := os.Stat(r.path) // before it is read: a change meanwhile shows at the next look
	f, private := (*File)(nil), true
	if errors.Is(err, fs.ErrNotExist) { // which is known though no file can be opened
		err = readError(r.path, err)
	} else {
		f, private, err = Read(r.path)
	}
	if stet.CodeOf(err) == stet.CodeNotFound {
		if !r.Open() && r.seen != nil {
			r.o.Log.Error("the key file is gone: nobody is let in any more. Put it back, or make keys: stet key create", "file", r.path)
		}
		r.seen, f, private, err = nil, &File{}, true, nil
	} else if err == nil {
		r.seen = info
	}
	if err != nil {
		return err
	}
	if !private && !r.warned {
		r.o.Log.Warn("others than its owner can read the key file. It has only hashes, but nobody else needs it: chmod 600", "file", r.path)
	}
	r.warned = !private
	r.take(f)
	return nil
}

// take publishes a file and ends the keys that are not in it any more, or not as
// they were.
func (r *Ring) take(f *File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.state.Load()
	next := &state{open: old.open && len(f.Keys) == 0, grants: make(map[string]*Grant, len(f.Keys)), file: f}
	for i := range f.Keys {
		g := &Grant{ring: r, key: &f.Keys[i], all: all(f.Keys[i].Prompts)}
		g.mark = scopeMark(g.Patterns())
		if was := old.grants[g.key.ID]; was != nil && was.key.same(g.key) && was.life.ctx.Err() == nil {
			g.life = was.life
		} else {
			g.life = newLife()
		}
		next.grants[g.key.ID] = g
	}
	r.state.Store(next)
	if !next.open {
		r.open.end()
	}
	for id, was := range old.grants {
		if g := next.grants[id]; g == nil || g.life != was.life {
			was.life.end()
		}
	}
}

// A life ends once: when its key is revoked, expires, or is changed.
type life struct {
	ctx context.Context
	end context.CancelFunc
}

func newLife() *life {
	ctx, end := context.WithCancel(context.Background())
	return &life{ctx, end}
}

// Authenticate returns what the holder of a secret may do. The error is unauthorized if
// there is no such key, and unavailable while the file cannot be read. Only who has the
// secret learns that a key was revoked or has expired. Nothing else tells which keys there
// are, not even the time that it takes.
func (r *Ring) Authenticate(secret string) (*Grant, error) {
	id, wellFormed := idOf(secret)
	now := r.state.Load()
	g := now.grants[id]
	want := noKey
	if g != nil {
		want = g.key.Hash
	}
	if !equal(hashSecret(secret), want) || g == nil || !wellFormed {
		return nil, stet.Errorf(stet.CodeUnauthorized, "there is no such key. Send Authorization: Bearer KEY, with a key as stet key create has printed it.")
	}
	if now.stale {
		return nil, errStale()
	}
	return g, g.refusal(r.o.Now())
}

// errStale is what every key is answered while nobody knows what the file says.
func errStale() error {
	return stet.Errorf(stet.CodeUnavailable, "the server cannot read the file of its keys, and so does not know whether this one still counts. Nothing changed. Try again; the server's log says why.")
}

// noKey is compared with where there is no key.
var noKey = stet.Hash{1}
