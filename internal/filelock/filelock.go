// Package filelock is an exclusive lock between processes, on a lock file. The file says
// which process holds the lock.
//
// It is a lock of the operating system on an open file, and is released when the process
// ends, however it ends. The file stays. Its content means something only while the file is
// locked.
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

// A Holder describes the process that holds a lock. It is the content of the file.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"` // when it got the lock, UTC
}

// Known reports whether the file says who holds the lock. For an instant after the lock is
// taken it does not.
func (h Holder) Known() bool { return h.PID != 0 }

// String names the holder, for use in a sentence.
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

// HeldError is the error of Acquire if another holder has the lock.
type HeldError struct{ Holder Holder }

func (e *HeldError) Error() string { return "held by " + e.Holder.String() }

// Options configure Acquire. The zero value tries once.
type Options struct {
	// Wait is how long to try again while the lock is held.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait, with the holder.
	Waiting func(Holder)
	// Now is the clock for Holder.Since; time.Now if nil.
	Now func() time.Time
}

// retryEvery is the time between two tries: too short for a person to notice, and long
// enough to cost no processor time to speak of.
const retryEvery = 20 * time.Millisecond

// A Lock is a lock that is held.
type Lock struct {
	f    *os.File
	made fs.FileInfo
}

// errHeld is the error of tryLock if the lock is held.
var errHeld = errors.New("held")

// Acquire locks the file at path. If it is missing, Acquire creates it with mode 0600. If the
// lock is held, in this process or another, until the wait is over or ctx is done, the error
// wraps a *HeldError. If the file is not a lock file, or belongs to another user, Acquire
// does not change it, and the error is an *ownfile.ForeignError.
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
		// If the file was removed after it was opened, another process may lock a new one.
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

// ErrLost is the error of Check if the lock no longer protects anything.
var ErrLost = errors.New("the lock file was removed or replaced, so that another process may have locked a new one")

// Check returns ErrLost if the path no longer leads to the file that is locked.
func (l *Lock) Check() error {
	if there, err := os.Lstat(l.f.Name()); err != nil || !os.SameFile(l.made, there) {
		return ErrLost
	}
	return nil
}

// Release releases the lock. The file stays and is empty: if it were removed, one process
// could lock the old file while another locks a new one.
func (l *Lock) Release() error {
	err := l.f.Truncate(0)
	return errors.Join(err, l.f.Close()) // closing unlocks
}

// Discard releases the lock and removes the file: for a path that turned out to need no
// lock.
func (l *Lock) Discard() error {
	if l.Check() == nil { // do not remove another process's
		_ = os.Remove(l.f.Name()) // while it is locked; where that is impossible, it stays
	}
	return l.Release()
}

func write(f *os.File, now time.Time) error {
	host, _ := os.Hostname() // for people only
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
		return nil // the lock works; on a full disk it only does not name its holder
	}
	return err
}

const (
	// maxHolder is more bytes than a Holder ever has.
	maxHolder = 4096
	// lead is the beginning of every Holder.
	lead = `{"pid":`
)

// isLock returns an *ownfile.ForeignError if the file is not a lock file, so that somebody
// may need its content. A lock file may have a Holder, which a killed process left, the
// beginning of one, which a full disk left, only zeros, which a loss of power left, or
// nothing.
func isLock(f *os.File) error {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder+1))
	if err != nil {
		return err
	}
	s := string(data)
	if len(s) <= maxHolder && (strings.HasPrefix(s, lead) || strings.HasPrefix(lead, s) || strings.Trim(s, "\x00") == "") {
		return nil
	}
	return &ownfile.ForeignError{Path: f.Name(), What: "is not a lock file: it has other content"}
}

// read returns the Holder in the file, the zero Holder if there is none.
func read(f *os.File) Holder {
	var h Holder
	data, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return Holder{}
	}
	return h
}
