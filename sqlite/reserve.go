package sqlite

import (
	"errors"
	"os"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/temp"
)

// A reserve is room on the disk that is held for deletes, so that they get through when
// it is full, and make room. It is a file without a name: it goes with the process.
//
// A delete on a full disk needs room for its own pages in the WAL, and before that the
// WAL has to be emptied, for which the file needs room for the pages that it does not
// have yet. So the reserve has as much as the file lacks, and reserveBytes. A commit that
// saves is refused if that cannot be had any more; a commit that deletes may use it up.
type reserve struct {
	f    *os.File // nil where there is none
	size int64
	page int64 // bytes of a page of the store's file
}

const (
	// reserveBytes is what a commit that deletes may take in a WAL that has to grow: it
	// removes eight texts itself then, each with some pages of 16 KiB, and notes the rest.
	reserveBytes = 384 << 10
	// reserveMore is how much more it has where there is room: so that what deletes have
	// left of it is enough for saves again, in the room that they have made in the file.
	reserveMore = 1 << 20
	// reserveStep is by how much it grows and shrinks: once in hundreds of saves.
	reserveStep = 512 << 10
)

// errNoReserve means that there is too little room on the disk for what a reserve must have.
var errNoReserve = errors.New("sqlite: the disk has no room left but what is held for deletes")

// newReserve makes an empty reserve. Where the system has no files without a name there is
// none, and a full disk may refuse deletes as well.
func newReserve(path string, page int64) reserve {
	t, err := temp.Create(path)
	if err != nil {
		return reserve{}
	}
	if err := os.Remove(t.Name()); err != nil {
		t.Drop()
		return reserve{}
	}
	return reserve{f: t.File(), page: page}
}

var zeros [64 << 10]byte

// hold makes the reserve larger than what it must have, and fails with
// errNoReserve if the disk has no room even for that. What else goes wrong leaves it as
// it is: it is a help, not a promise.
func (r *reserve) hold(must int64) error {
	if want := (must + reserveMore + reserveStep - 1) / reserveStep * reserveStep; r.size < must {
		// Written and not only announced: not every file system keeps what is.
		for r.size < want {
			n, err := r.f.WriteAt(zeros[:], r.size)
			r.size += int64(n)
			switch {
			case isFull(err) && r.size < must:
				return errNoReserve
			case err != nil:
				return nil
			}
		}
	} else if r.size > want+reserveStep && r.f.Truncate(want) == nil {
		r.size = want
	}
	return nil
}

// release gives the room back to the disk.
func (r *reserve) release() {
	if r.f != nil && r.f.Truncate(0) == nil {
		r.size = 0
	}
}

func (r *reserve) close() error {
	if r.f == nil {
		return nil
	}
	return r.f.Close()
}

// holdRoom sees to the reserve before a transaction that adds bodies is ended. The caller
// has the turn.
func (l *Log) holdRoom() error {
	if l.reserve.f == nil {
		return nil
	}
	pages, err := l.w.integer("PRAGMA page_count")
	if err != nil {
		return err
	}
	info, err := os.Stat(l.path)
	if err != nil {
		return nil // what the transaction ends with says so
	}
	must := int64(reserveBytes)
	if lacks := pages*l.reserve.page - info.Size(); lacks > 0 {
		// Emptying the WAL takes this, and what the file system needs for itself; a save
		// into room that deletes have made has to find the rest.
		must += lacks + reserveBytes
	}
	return l.reserve.hold(must)
}

// useReserve gives the reserve to a transaction that makes room and found the disk full:
// the WAL is emptied, for which the file may have to grow, and begins anew. The caller
// has the turn.
func (l *Log) useReserve() {
	l.reserve.release()
	l.emptyWAL()
}

// makesRoom tells whether entries remove texts.
func makesRoom(entries []driver.Entry) bool {
	for i := range entries {
		if entries[i].Cleared || len(entries[i].Dropped) > 0 {
			return true
		}
	}
	return false
}

func bringsBodies(entries []driver.Entry) bool {
	for i := range entries {
		if len(entries[i].Bodies) > 0 {
			return true
		}
	}
	return false
}
