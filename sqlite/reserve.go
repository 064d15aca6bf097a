package sqlite

import (
	"errors"
	"os"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/temp"
)

// A reserve holds disk space for deletes, so that they work on a full disk and free space.
// It is a file without a name, which is gone when the process ends.
//
// A delete on a full disk needs space for its own pages in the WAL. Before that the WAL
// has to be emptied, for which the file may have to grow. So the reserve has as many bytes
// as the file would grow by, and reserveBytes. A commit that saves is refused if the
// reserve cannot have that; a commit that deletes may use it up.
type reserve struct {
	f    *os.File // nil if there is no reserve
	size int64
	page int64 // bytes of a page of the store's file
}

const (
	// reserveBytes is what a commit that deletes may add to the WAL: on a full disk it
	// removes eight texts itself, each on some pages of 16 KiB, and notes the rest.
	reserveBytes = 384 << 10
	// reserveExtra is how much more it has if there is space, so that after some deletes
	// the rest of it is enough for saves into the space that they freed in the file.
	reserveExtra = 1 << 20
	// reserveStep is by how much it grows and shrinks, so that it does so only once in
	// hundreds of saves.
	reserveStep = 512 << 10
)

// errNoReserve says that the disk has too little space for the reserve.
var errNoReserve = errors.New("sqlite: the only space left on the disk is reserved for deletes")

// newReserve makes an empty reserve. On a system without files that have no name there is
// no reserve, and a full disk may refuse deletes too.
func newReserve(path string, page int64) reserve {
	t, err := temp.Create(path)
	if err != nil {
		return reserve{}
	}
	if err := os.Remove(t.Name()); err != nil {
		t.Remove()
		return reserve{}
	}
	return reserve{f: t.File(), page: page}
}

var zeros [64 << 10]byte

// grow makes the reserve at least must bytes large, and larger if there is space. It fails
// with errNoReserve if the disk is full before that. After any other error the reserve
// stays as it is, since no promise depends on it.
func (r *reserve) grow(must int64) error {
	if want := (must + reserveExtra + reserveStep - 1) / reserveStep * reserveStep; r.size < must {
		// It writes, and does not only set the size: that would not take up space.
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

// release gives the space back to the file system.
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

// growReserve gives the reserve the size that it must have, before a transaction that adds
// bodies is committed. The caller holds the writer.
func (l *Log) growReserve() error {
	if l.reserve.f == nil {
		return nil
	}
	pages, err := l.w.integer("PRAGMA page_count")
	if err != nil {
		return err
	}
	info, err := os.Stat(l.path)
	if err != nil {
		return nil // the commit will report it
	}
	must := int64(reserveBytes)
	if lacks := pages*l.reserve.page - info.Size(); lacks > 0 {
		// Emptying the WAL takes this much, and some more for the file system itself. The
		// rest is for a save into space that deletes have freed.
		must += lacks + reserveBytes
	}
	return l.reserve.grow(must)
}

// useReserve releases the reserve for a transaction that frees space and found the disk
// full. It empties the WAL, for which the file may have to grow. The caller holds the
// writer.
func (l *Log) useReserve() {
	l.reserve.release()
	l.checkpointWAL()
}

// removesBodies reports whether entries remove bodies.
func removesBodies(entries []driver.Entry) bool {
	for i := range entries {
		if entries[i].Cleared || len(entries[i].Dropped) > 0 {
			return true
		}
	}
	return false
}

func addsBodies(entries []driver.Entry) bool {
	for i := range entries {
		if len(entries[i].Bodies) > 0 {
			return true
		}
	}
	return false
}
