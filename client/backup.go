package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/filelock"
)

// Backup implements stet.Backend: the server makes the file and checks it, and it
// is put beside the place where it is to be, and given its name when it is all
// there and on stable storage. It can be opened, or restored, as one that the
// server's engine made.
func (b *backend) Backup(ctx context.Context, path string, o stet.BackupOptions) (revision uint64, hash stet.Hash, err error) {
	if err := b.begin(); err != nil {
		return 0, hash, err
	}
	defer b.end()
	path, err = filepath.Abs(path)
	if err != nil {
		return 0, hash, cannotMake(path, err)
	}
	lock, err := hold(ctx, path)
	if err != nil {
		return 0, hash, err
	}
	defer func() { _ = lock.Discard() }()
	if _, err := os.Lstat(path); err == nil && !o.Overwrite {
		return 0, hash, occupied(path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return 0, hash, cannotMake(path, err)
	}
	defer func() {
		_ = f.Close()           // it was closed where that matters
		_ = os.Remove(f.Name()) // it has another name where it was kept
	}()
	r := &request{method: http.MethodGet, path: segments("backup"), accept: "application/octet-stream, application/problem+json", slow: true}
	for n := 1; ; n++ {
		var failed *failure
		revision, hash, failed, err = b.download(ctx, r, f, o.Progress)
		if err != nil {
			return 0, hash, cannotMake(path, err)
		}
		if failed == nil {
			b.budget.earn()
			break
		}
		if !failed.again || n >= b.opts.Attempts || !b.wait(ctx, n, failed) {
			return 0, stet.Hash{}, b.outcome(ctx, r, failed, false)
		}
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return 0, hash, cannotMake(path, err)
	}
	if err := put(f.Name(), path, o.Overwrite); err != nil {
		return 0, hash, err
	}
	return revision, hash, nil
}

// download reads one answer into a file, from its beginning. An error is the
// file's.
func (b *backend) download(ctx context.Context, r *request, f *os.File, progress func(done, total uint64)) (revision uint64, hash stet.Hash, _ *failure, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, hash, nil, err
	}
	if err := f.Truncate(0); err != nil {
		return 0, hash, nil, err
	}
	resp, failed := b.send(ctx, r)
	if failed != nil {
		return 0, hash, failed, nil
	}
	defer resp.Body.Close()
	revision, err = strconv.ParseUint(resp.Header.Get("Stet-Revision"), 10, 64)
	if err != nil {
		return 0, hash, b.garbled(errors.New("it does not say up to which revision it is")), nil
	}
	if err := hash.UnmarshalText([]byte(resp.Header.Get("Stet-Hash"))); err != nil {
		return 0, hash, b.garbled(err), nil
	}
	total := resp.ContentLength
	to := &progressWriter{f: f, total: uint64(max(total, 0)), progress: progress}
	n, err := io.Copy(to, resp.Body)
	switch {
	case to.err != nil:
		return 0, hash, nil, to.err
	case err != nil:
		return 0, hash, b.cut(ctx, err), nil
	case total >= 0 && n != total, n == 0:
		return 0, hash, b.cut(ctx, fmt.Errorf("it has %d bytes of %d", n, total)), nil
	}
	return revision, hash, nil, nil
}

// A progressWriter writes to a file, tells how far it is, and keeps the error of
// the file apart from that of what it is copied from.
type progressWriter struct {
	f           *os.File
	done, total uint64
	progress    func(done, total uint64)
	err         error
}

// Write implements io.Writer.
func (w *progressWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.err = err
	w.done += uint64(n)
	if w.progress != nil && w.total > 0 {
		w.progress(w.done, w.total)
	}
	return n, err
}

// hold keeps other programs from opening, or making, a store at path, by the lock
// that an engine's file has beside it.
func hold(ctx context.Context, path string) (*filelock.Lock, error) {
	lock, err := filelock.Acquire(ctx, path+".lock", filelock.Options{})
	var held *filelock.HeldError
	switch {
	case errors.As(err, &held):
		return nil, fault.Wrap(err, fault.Unavailable, "%s is open in %s. Nothing changed. Name another file, or try again when that has ended.", path, held.Holder)
	case err != nil:
		return nil, cannotMake(path, err)
	}
	return lock, nil
}

// put gives a file that is on stable storage its name, durably.
func put(made, path string, overwrite bool) error {
	dir := filepath.Dir(path)
	if !overwrite {
		// Who puts a file there without asking for the lock does not lose it.
		switch err := os.Link(made, path); {
		case err == nil:
			return durable(dir, path)
		case errors.Is(err, fs.ErrExist):
			return occupied(path)
		}
		// A file system without links: there was nothing when it was looked at.
	}
	if _, err := os.Lstat(path); err == nil {
		// What is beside the old file belongs to it, and would be read as the new
		// one's.
		for _, rest := range []string{"-wal", "-shm", "-journal"} {
			if err := os.Remove(path + rest); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return cannotMake(path, err)
			}
		}
		if err := durable(dir, path); err != nil {
			return err
		}
	}
	if err := os.Rename(made, path); err != nil {
		return cannotMake(path, err)
	}
	return durable(dir, path)
}

// durable makes the names in a directory durable.
func durable(dir, path string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such thing
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return cannotMake(path, err)
	}
	return nil
}

func occupied(path string) error {
	return fault.New(fault.Conflict, "%s is there already. Nothing changed. Name another file, or say that it may be overwritten (--force).", path)
}

func cannotMake(path string, err error) error {
	return fault.Wrap(err, fault.Unavailable, "%s cannot be made: %v. Nothing was left.", path, err)
}
