package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stet-dev/stet/internal/filelock"
)

// A place is the names of the files that a log has open, with what they led to when
// it was opened. Whoever removes or replaces one of them leaves a log that writes to
// where nobody will look.
type place struct {
	path         string
	db, wal, shm fs.FileInfo
	lock         *filelock.Lock
}

// settle notes where the files are, once SQLite has them open.
func settle(path string, lock *filelock.Lock) (p place, err error) {
	p = place{path: path, lock: lock}
	if p.db, err = os.Lstat(path); err != nil {
		return p, err
	}
	if p.wal, err = os.Lstat(path + "-wal"); err != nil {
		return p, err
	}
	p.shm, err = os.Lstat(path + "-shm")
	return p, err
}

// errMoved means that the files are not where they were.
var errMoved = errors.New("sqlite: the files of the store are not where they were")

// check returns, as an errMoved, which of the names leads elsewhere and what to do.
func (p *place) check() error {
	if what := changed(p.path, p.db); what != "" {
		return moved("the file %s while it was open, so that what is written now would be nowhere. "+
			"What was read before can still be read, and exported. If it was moved, move it back; then close the store and open it again", what)
	}
	if what := changed(p.path+"-wal", p.wal); what != "" {
		return moved("%s-wal, which holds the newest commits, %s while it was open. "+
			"They are moved to the file when the store is closed. Close it and open it again", p.path, what)
	}
	if p.lock.Check() != nil {
		return moved("%s.lock was removed or replaced while the store was open, so that another program may have opened it. "+
			"End that program if there is one, then close the store and open it again; stet verify says whether it is sound", p.path)
	}
	return nil
}

func moved(format string, args ...any) error {
	return &failure{fmt.Sprintf(format, args...), false, errMoved}
}

// changed says what became of a file, "" if it is where it was.
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
	return fmt.Sprintf("cannot be reached any more (%v)", err)
}

// taken tells whether the file itself is not where it was.
func (p *place) taken() bool { return changed(p.path, p.db) != "" }

// clear removes what SQLite has put beside the file and does not remove where the file
// is another: it would be read as part of that one.
func (p *place) clear() {
	for rest, was := range map[string]fs.FileInfo{"-wal": p.wal, "-shm": p.shm} {
		if changed(p.path+rest, was) == "" {
			_ = os.Remove(p.path + rest)
		}
	}
}

// foreignWAL tells whether what lies where the log's own WAL was is somebody else's.
func (p *place) foreignWAL() bool {
	now, err := os.Lstat(p.path + "-wal")
	return err == nil && !os.SameFile(p.wal, now)
}
