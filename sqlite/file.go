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

// pageSize is the size of a page of a new file. With the 4 KiB that SQLite takes by
// itself, texts of a kilobyte leave a fifth of each page unused; larger pages make a
// lone save slower, since it writes whole ones.
const pageSize = 16384

// create makes the file of a new store, whole or not at all: under another name
// first. So a file that is empty was never a new store, but one that lost its
// content. The caller has the lock.
func create(path string, steps []string, now time.Time) error {
	if err := dbfile.Alone(path); err != nil {
		return err
	}
	f, err := temp.Create(path)
	if err != nil {
		return dbfile.CannotMake(err, path)
	}
	defer f.Drop()
	// SQLite gives the files beside it the same mode, and loses its locks if another
	// descriptor of the file is closed.
	if err := f.Close(); err != nil {
		return dbfile.CannotMake(err, path)
	}
	c, err := connect(f.Name(), readWrite, fmt.Sprintf("page_size = %d", pageSize), "synchronous = FULL", "fullfsync = ON")
	if err != nil {
		return err
	}
	err = migrate(c, 0, steps, func() error {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		_, err := c.exec("INSERT INTO meta (name, value) VALUES ('store_id', ?), ('created_at', ?), ('cleared', 0), ('checkpoint', 0)",
			hex.EncodeToString(id[:]), stet.FormatTime(now))
		return err
	})
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	switch _, err := f.Put(false); {
	case errors.Is(err, fs.ErrExist):
		return stet.Errorf(stet.CodeUnavailable, "another program, not stet, has made %s just now. Open it again.", path)
	case err != nil:
		return dbfile.CannotMake(err, path)
	}
	return nil
}

// syncWAL makes durable what a process that was killed has left in the WAL, and
// tells whether it left any: what it wrote and did not sync is read as part of the
// log from now on, and a power loss must not take it away again. Unlike the file
// itself, SQLite does not lock the WAL, so that closing it drops no lock.
func syncWAL(path string) (left bool, err error) {
	f, err := ownfile.Open(path+"-wal", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, dbfile.CannotMake(err, path)
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		left, err = true, f.Sync()
	}
	return left, errors.Join(err, f.Close())
}

// whole checks that the file has all the pages that it says it has. SQLite finds a
// cut only when it comes to a page that is missing. What is in the WAL may be more
// or newer; then only SQLite can tell.
func whole(c *conn, path string) error {
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
