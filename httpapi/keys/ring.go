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

// PollEvery is how often a ring checks whether its file has changed. A revoked key stops
// working within that time and the time that a check takes: well within five seconds.
const PollEvery = 2 * time.Second

// refuseAfter is how long the file may be unreadable before the ring refuses every key: a key
// that was revoked meanwhile must stop working within five seconds. It is time for two
// checks.
const refuseAfter = 4500 * time.Millisecond

// wakeUp is how late the timer of refuseAfter may fire. If it fires later, the process did not
// run: it was stopped, or its machine slept. The ring then has that long again for a check.
const wakeUp = 400 * time.Millisecond

// logEvery is how many checks of a file that cannot be used pass between two lines in the
// log: a minute.
const logEvery = 30

// Options configure a ring. The zero value is good.
type Options struct {
	// Now is the clock by which keys expire; time.Now if nil.
	Now func() time.Time
	// Log gets the messages for operators; slog.Default if nil.
	Log *slog.Logger
}

// A Ring follows a key file: it checks every PollEvery whether the file has changed, and then
// reads it again.
//
//   - While the file is broken, its last valid content applies, and the log says so every
//     minute.
//   - While the file cannot be read, any key may have been revoked. After almost five seconds,
//     whatever the reason, what was started with a key ends, and every key is refused as
//     unavailable until the file can be read. Time in which the process does not run does
//     not count.
//   - If the file is removed, every key is refused.
//   - The ring is open until the file first has a key; see [Ring.Open]. It also stops being
//     open when the file could not be read for that long.
//
// Its methods may be called by many goroutines at once.
type Ring struct {
	path string
	o    Options

	state atomic.Pointer[state]
	open  *life // ends when the ring stops being open

	stop context.CancelFunc
	done chan struct{}
	wake chan struct{} // asks for a check now

	mu     sync.Mutex // held while a state is published; guards known and woken
	known  time.Time  // when the content of the file was last known
	woken  bool       // the process did not run since then, and a check is under way
	expiry *time.Timer

	// After Open only the goroutine of watch uses the fields below.
	seen     fs.FileInfo // the file that was read last; nil for none
	reread   bool        // seen was read a second time after it had changed
	warned   bool        // the log says that other users can read the file
	failures int         // consecutive checks that found a file that cannot be used
}

// A state is the content of the file at one time. Only the lives of its grants change.
type state struct {
	open   bool // the file never had a key
	stale  bool // the file could not be read for refuseAfter
	grants map[string]*Grant
	file   *File
}

// Open reads a key file and follows it until Close. If the file is missing, the ring is open.
// If it cannot be used, the error is that of [Read]. Options may be nil.
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

// Close stops following the file. It does not change grants or end their lives.
func (r *Ring) Close() {
	r.stop()
	<-r.done
	r.expiry.Stop()
}

// Open reports whether the file has never had a key while the ring followed it. Nobody can
// have a key then, and a server does not ask for one.
func (r *Ring) Open() bool { return r.state.Load().open }

// OpenLife is a context that is done when the ring stops being open, so that what was started
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

// look reads the file if it has changed, and ends the lives of expired keys.
func (r *Ring) look() {
	info, err := os.Stat(r.path)
	same := err == nil && r.seen != nil && os.SameFile(info, r.seen) && info.Size() == r.seen.Size() && info.ModTime().Equal(r.seen.ModTime())
	err = nil
	if stale := r.state.Load().stale; !same || !r.reread || r.failures > 0 || stale {
		// A file that has changed is read again at the next check: a second change within
		// the resolution of the file system's clock would not show.
		r.reread = same
		if err = r.reload(); err != nil {
			if r.failures%logEvery == 0 {
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

// untilThen says which keys work while the file cannot be used.
func untilThen(err error) string {
	if stet.CodeOf(err) == stet.CodeUnavailable {
		return "if that lasts, all keys stop working, since any may have been revoked"
	}
	return "the keys of its last valid content still work, even those that were revoked since"
}

// refuse refuses every key until the file is read, if its content has been unknown for
// refuseAfter: it could not be read, or the check itself hangs.
func (r *Ring) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch unknown := time.Since(r.known); {
	case unknown < refuseAfter:
		return // it was read meanwhile
	case unknown >= refuseAfter+wakeUp && !r.woken:
		r.woken = true
		select {
		case r.wake <- struct{}{}:
		default: // one is already requested
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

// reload reads the file and publishes its content.
func (r *Ring) reload() error {
	info, err := os.Stat(r.path) // before it is read: the next check finds a change that is made meanwhile
	f, private := (*File)(nil), true
	if errors.Is(err, fs.ErrNotExist) { // known even if the process can open no more files
		err = readError(r.path, err)
	} else {
		f, private, err = Read(r.path)
	}
	if stet.CodeOf(err) == stet.CodeNotFound {
		if !r.Open() && r.seen != nil {
			r.o.Log.Error("the key file is gone, and no key works. Restore it, or create keys: stet key create", "file", r.path)
		}
		r.seen, f, private, err = nil, &File{}, true, nil
	} else if err == nil {
		r.seen = info
	}
	if err != nil {
		return err
	}
	if !private && !r.warned {
		r.o.Log.Warn("users other than its owner can read the key file. It has only hashes, but no other user needs it: chmod 600", "file", r.path)
	}
	r.warned = !private
	r.publish(f)
	return nil
}

// publish makes f the current state, and ends the lives of the keys that it no longer has, or
// that changed.
func (r *Ring) publish(f *File) {
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

// A life is the time in which a key can be used unchanged.
type life struct {
	ctx context.Context
	end context.CancelFunc
}

func newLife() *life {
	ctx, end := context.WithCancel(context.Background())
	return &life{ctx, end}
}

// Authenticate returns the grant of the key with a secret. The error is unauthorized if there
// is no such key, or it was revoked or has expired, and unavailable while the file cannot be
// read. Only the holder of a secret learns that its key was revoked or has expired. Neither
// the error nor the time that the call takes reveals which keys exist.
func (r *Ring) Authenticate(secret string) (*Grant, error) {
	id, wellFormed := idOf(secret)
	now := r.state.Load()
	g := now.grants[id]
	want := noKey
	if g != nil {
		want = g.key.Hash
	}
	if !equal(hashSecret(secret), want) || g == nil || !wellFormed {
		return nil, stet.Errorf(stet.CodeUnauthorized, "there is no such key. Send Authorization: Bearer KEY, with the key that stet key create printed.")
	}
	if now.stale {
		return nil, errStale()
	}
	return g, g.refusal(r.o.Now())
}

// errStale is the error for every key while the content of the file is unknown.
func errStale() error {
	return stet.Errorf(stet.CodeUnavailable, "the server cannot read its key file, and does not know whether this key is still valid. Nothing changed. Try again; the server's log says why.")
}

// noKey is compared with the hash of a secret if there is no key.
var noKey = stet.Hash{1}
