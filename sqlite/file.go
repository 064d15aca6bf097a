package sqlite

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/dbfile"
	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/temp"
)

// pageSize is the size of a page of a new file. With SQLite's default of 4 KiB, texts of a
// kilobyte leave a fifth of each page unused. Larger pages make a single save slower, since
// it writes whole pages.
const pageSize = 16384

// create makes the file of a new store under another name first, so that it is there
// complete or not at all. An empty file is therefore never a new store, but one that lost
// its content. The caller holds the lock.
func create(path string, steps []string, now time.Time) error {
	if err := dbfile.CheckNoSideFiles(path); err != nil {
		return err
	}
	f, err := temp.Create(path)
	if err != nil {
		return dbfile.CreateError(err, path)
	}
	defer f.Remove()
	// SQLite gives the files beside it the same mode, and loses its locks if another
	// descriptor of the file is closed.
	if err := f.Close(); err != nil {
		return dbfile.CreateError(err, path)
	}
	c, err := connect(f.Name(), readWrite, fmt.Sprintf("page_size = %d", pageSize), "synchronous = FULL", "fullfsync = ON")
	if err != nil {
		return err
	}
	err = migrate(c, 0, steps, func() error {
		_, err := c.exec("INSERT INTO meta (name, value) VALUES ('store_id', ?), ('created_at', ?), ('cleared', 0), ('checkpoint', 0)",
			newStoreID(), stet.FormatTime(now))
		return err
	})
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	switch _, err := f.Install(false); {
	case errors.Is(err, fs.ErrExist):
		return stet.Errorf(stet.CodeUnavailable, "another program, not stet, has just made %s. Open it again.", path)
	case err != nil:
		return dbfile.CreateError(err, path)
	}
	return nil
}

// newStoreID returns a random id.
func newStoreID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// syncWAL makes durable what a process that was killed has left in the WAL, and reports
// whether it left anything. That process may not have synced all that it wrote; this one
// reads it as part of the log, so that a loss of power must not remove it. SQLite does not
// lock the WAL, unlike the file itself, so that closing it drops no lock.
func syncWAL(path string) (left bool, err error) {
	f, err := ownfile.Open(path+"-wal", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, dbfile.CreateError(err, path)
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		left, err = true, f.Sync()
	}
	return left, errors.Join(err, f.Close())
}

// checkSize checks that the file has all pages that its header counts. SQLite finds out that
// some are missing only when it reads one. If there is a WAL it may have the missing pages,
// and only SQLite can tell.
func checkSize(c *conn, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil
	}
	pages, err := c.integer("PRAGMA page_count")
	if err != nil {
		return err
	}
	size, err := c.integer("PRAGMA page_size")
	if err != nil {
		return err
	}
	if want := pages * size; info.Size() < want {
		return damaged(nil, path, fmt.Sprintf("it was cut off after %d of %d bytes", info.Size(), want))
	}
	return nil
}
