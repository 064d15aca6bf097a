package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stet-dev/stet/internal/filelock"
)

// openFiles identifies the files that a log has open. When one of them is removed or
// replaced, a program that opens the path later would not find what the log writes.
type openFiles struct {
	path           string
	file, wal, shm fs.FileInfo
	lock           *filelock.Lock
}

// findFiles identifies the files at a path once SQLite has opened them.
func findFiles(path string, lock *filelock.Lock) (f openFiles, err error) {
	f = openFiles{path: path, lock: lock}
	if f.file, err = os.Lstat(path); err != nil {
		return f, err
	}
	if f.wal, err = os.Lstat(path + "-wal"); err != nil {
		return f, err
	}
	f.shm, err = os.Lstat(path + "-shm")
	return f, err
}

// errFilesMoved says that a path no longer leads to the file that is open.
var errFilesMoved = errors.New("sqlite: a file of the store was removed or replaced")

// check returns nil if every path leads to the file that is open. Otherwise the error
// wraps errFilesMoved and says which file it is and what to do.
func (f *openFiles) check() error {
	if what := changed(f.path, f.file); what != "" {
		return filesMoved("the file %s while it was open, and what is written now would be lost. "+
			"Reads and export still work. If the file was moved, move it back; then close the store and open it again", what)
	}
	if what := changed(f.path+"-wal", f.wal); what != "" {
		return filesMoved("%s-wal, which holds the newest commits, %s while it was open. "+
			"Closing the store moves those commits to the file. Close it and open it again", f.path, what)
	}
	if f.lock.Check() != nil {
		return filesMoved("%s.lock was removed or replaced while the store was open, so that another program may have opened it. "+
			"End that program if there is one, then close the store and open it again; stet verify says whether it is sound", f.path)
	}
	return nil
}

func filesMoved(format string, args ...any) error {
	return &failure{fmt.Sprintf(format, args...), false, errFilesMoved}
}

// changed says what became of a file, "" if the path still leads to it.
func changed(path string, was fs.FileInfo) string {
	now, err := os.Lstat(path)
	switch {
	case err == nil && os.SameFile(was, now):
		return ""
	case err == nil:
		return "was replaced by another"
	case errors.Is(err, fs.ErrNotExist):
		return "was removed or moved away"
	}
	return fmt.Sprintf("can no longer be reached (%v)", err)
}

// replaced reports whether the path of the database leads to another file, or to none.
func (f *openFiles) replaced() bool { return changed(f.path, f.file) != "" }

// removeWAL removes the log's own -wal and -shm. SQLite leaves them when the database
// was replaced, and would read them as part of the new one.
func (f *openFiles) removeWAL() {
	for suffix, was := range map[string]fs.FileInfo{"-wal": f.wal, "-shm": f.shm} {
		if changed(f.path+suffix, was) == "" {
			_ = os.Remove(f.path + suffix)
		}
	}
}

// foreignWAL reports whether the -wal beside the database is not the log's own.
func (f *openFiles) foreignWAL() bool {
	now, err := os.Lstat(f.path + "-wal")
	return err == nil && !os.SameFile(f.wal, now)
}
