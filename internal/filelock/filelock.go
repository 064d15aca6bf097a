// Package filelock lets one process at a time have something, by an exclusive
// lock on a file beside it, and tells the others who has it.
//
// The lock is the operating system's, on an open file: it goes when the process
// does, however it ends. The file stays, and what is in it counts only as long as
// it is locked.
package filelock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stet-dev/stet/internal/disk"
	"github.com/stet-dev/stet/internal/ownfile"
)

// A Holder is who has a lock, as it noted itself in the file.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"` // when it got the lock, UTC
}

// Known tells whether the file said who holds it: there is an instant in which
// it does not yet.
func (h Holder) Known() bool { return h.PID != 0 }

// String names the holder for a sentence.
func (h Holder) String() string {
	if !h.Known() {
		return "another process"
	}
	who := fmt.Sprintf("process %d", h.PID)
	if h.PID == os.Getpid() {
		who = "this process"
	}
	if h.Program != "" {
		who += " (" + h.Program + ")"
	}
	if here, err := os.Hostname(); h.Host != "" && (err != nil || here != h.Host) {
		who += " on " + h.Host
	}
	return who + " since " + h.Since.UTC().Format("2006-01-02 15:04:05 UTC")
}

// HeldError is the error of an Acquire that did not get the lock.
type HeldError struct{ Holder Holder }

func (e *HeldError) Error() string { return "held by " + e.Holder.String() }

// Options change how Acquire works. The zero value tries once.
type Options struct {
	// Wait is how long to try.
	Wait time.Duration
	// Waiting, if not nil, is called once, before the wait, if there is one.
	Waiting func(Holder)
	// Now is the clock for Holder.Since; time.Now if nil.
	Now func() time.Time
}

// retryEvery is how often a held lock is tried again: a person does not notice
// it, and a processor neither.
const retryEvery = 20 * time.Millisecond

// A Lock is a lock that is held.
type Lock struct {
	f    *os.File
	made fs.FileInfo
}

// errHeld is what tryLock returns where somebody else has the lock.
var errHeld = errors.New("held")

// Acquire locks the file, which it makes, for its owner alone, if it is missing.
// It fails with a *HeldError if somebody else has it, in this process or another,
// until the wait is over or ctx is done, and with the cause if ctx was first and
// nobody could be asked. If what is there is no lock, or not this user's own, it
// fails with an *ownfile.ForeignError and leaves it as it is.
func Acquire(ctx context.Context, path string, o Options) (*Lock, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	l, err := try(path, o.Now)
	var held *HeldError
	if !errors.As(err, &held) || o.Wait <= 0 {
		return l, err
	}
	if o.Waiting != nil {
		o.Waiting(held.Holder)
	}
	end := time.NewTimer(o.Wait)
	defer end.Stop()
	again := time.NewTicker(retryEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-end.C:
			return nil, err
		case <-ctx.Done():
			return nil, errors.Join(err, context.Cause(ctx))
		}
		if l, err = try(path, o.Now); !errors.As(err, &held) {
			return l, err
		}
	}
}

func try(path string, now func() time.Time) (*Lock, error) {
	f, err := ownfile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	switch err := tryLock(f); {
	case err == errHeld:
		h := read(f)
		f.Close()
		return nil, &HeldError{h}
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	l := &Lock{f: f}
	if l.made, err = f.Stat(); err == nil {
		// Whoever removed the file after it was opened has let others lock a new one.
		if l.Check() != nil {
			err = &HeldError{}
		} else if err = isLock(f); err == nil {
			err = write(f, now())
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

// ErrLost is the error of Check.
var ErrLost = errors.New("the lock's file was removed or replaced, so that another process may have locked a new one")

// Check returns ErrLost if the file that is locked is not the one that others would
// lock any more.
func (l *Lock) Check() error {
	if there, err := os.Lstat(l.f.Name()); err != nil || !os.SameFile(l.made, there) {
		return ErrLost
	}
	return nil
}

// Release lets go of the lock. The file stays, empty: if it were removed, one
// process could have the old file locked and another the new one.
func (l *Lock) Release() error {
	err := l.f.Truncate(0)
	return errors.Join(err, l.f.Close()) // closing unlocks
}

// Discard lets go of the lock and removes the file: for a lock that turned out to
// be on something that nobody locks.
func (l *Lock) Discard() error {
	if l.Check() == nil { // another one is another's
		_ = os.Remove(l.f.Name()) // before it is unlocked; where that cannot be, it stays
	}
	return l.Release()
}

func write(f *os.File, now time.Time) error {
	host, _ := os.Hostname() // only for people
	data, err := json.Marshal(Holder{
		PID: os.Getpid(), Host: host, Program: filepath.Base(os.Args[0]), Since: now.UTC().Truncate(time.Second),
	})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(data, '\n'), 0)
	if disk.IsFull(err) {
		return nil // the lock is what counts; on a full disk nobody is named
	}
	return err
}

const (
	// maxHolder is more than a Holder has, in bytes.
	maxHolder = 4096
	// lead is how a Holder begins.
	lead = `{"pid":`
)

// isLock returns a *ownfile.ForeignError for a file with something in it that is not
// a Holder, as a process that was killed left it, or a part of one, as a full disk
// did, or nothing but zeros, as a loss of power did: somebody needs it.
func isLock(f *os.File) error {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder+1))
	if err != nil {
		return err
	}
	s := string(data)
	if len(s) <= maxHolder && (strings.HasPrefix(s, lead) || strings.HasPrefix(lead, s) || strings.Trim(s, "\x00") == "") {
		return nil
	}
	return &ownfile.ForeignError{Path: f.Name(), What: "is no lock: something else is in it"}
}

// read returns who the file says holds it, the zero Holder if it does not say.
func read(f *os.File) Holder {
	var h Holder
	data, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return Holder{}
	}
	return h
}
