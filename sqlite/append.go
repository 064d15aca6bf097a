package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"github.com/stet-dev/stet/driver"
)

// slots is the number of keys that the bodies of a revision have: the power of
// two above driver.MaxOps, so that a key is easy to take apart.
const slots = 1024

func bodyKey(ref *driver.BodyRef) int64 { return int64(ref.Revision)*slots + int64(ref.Op) }

// dropNow is how many bodies an append removes itself. Each may be on a page of
// its own, all of which is written; more are noted, and removed later in parts.
// On a full disk there is little room to write pages in.
const (
	dropNow       = 256
	dropNowOnFull = 8
)

// Append implements driver.Log. Once its transaction has begun it does not look
// at ctx any more.
func (l *Log) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	if err := context.Cause(ctx); err != nil {
		return notApplied(err)
	}
	if err := l.take(ctx); err != nil {
		return notApplied(err)
	}
	defer l.give()
	if prev != l.left.tail {
		return driver.ErrMoved
	}
	a := addition{Log: l, tail: prev, cleared: l.left.cleared, dropNow: dropNow}
	err := l.write(func() error {
		if err := a.insert(entries); err != nil {
			return err
		}
		if bringsBodies(entries) {
			return l.holdRoom()
		}
		return nil
	})
	if isFull(err) && l.stopped.Load() == nil && makesRoom(entries) {
		l.useReserve()
		a = addition{Log: l, tail: prev, cleared: l.left.cleared, dropNow: dropNowOnFull}
		err = l.write(func() error { return a.insert(entries) })
	}
	if err != nil {
		return err
	}
	l.left.tail, l.left.cleared = a.tail, a.cleared
	if l.cleared.Swap(a.cleared) != a.cleared {
		l.litter = true
	}
	l.tail.Store(&a.tail)
	l.stir()
	return nil
}

// An addition is an append on its way.
type addition struct {
	*Log
	tail    driver.Tail // of the entries so far
	cleared uint64
	dropNow int // how many bodies it may remove itself
}

// insert writes entries, and the bodies and labels of those of them that count.
func (a *addition) insert(entries []driver.Entry) error {
	cleared := a.cleared
	count := entries // bodies and moves of entries before a clear are gone with it
	for i := range entries {
		e := &entries[i]
		if want := a.tail.Revision + 1; e.Revision != want {
			return fmt.Errorf("sqlite: an append has revision %d where %d belongs", e.Revision, want)
		}
		a.tail = driver.Tail{Revision: e.Revision, Hash: e.Hash}
		if e.Cleared {
			a.cleared, count = e.Revision, entries[i:]
		}
	}
	if a.cleared != cleared {
		if _, err := a.w.exec("DELETE FROM labels"); err != nil { // takes no time: it has no condition
			return err
		}
		if _, err := a.w.exec("UPDATE meta SET value = ? WHERE name = 'cleared'", int64(a.cleared)); err != nil {
			return err
		}
	}
	err := commitRows.insert(a.w, len(entries), func(i int, row []sqldriver.NamedValue) {
		e := &entries[i]
		row[0].Value, row[2].Value, row[3].Value = int64(e.Revision), e.Hash[:], string(e.Data)
		row[1].Value = nil
		if id, ok := leadingID(row[3].Value.(string), e.Revision); !ok || id != e.ID {
			row[1].Value = e.ID
		}
	})
	if err != nil {
		return err
	}
	a.bodies = a.bodies[:0]
	for i := range count {
		for j := range count[i].Bodies {
			a.bodies = append(a.bodies, &count[i].Bodies[j])
		}
	}
	err = bodyRows.insert(a.w, len(a.bodies), func(i int, row []sqldriver.NamedValue) {
		b := a.bodies[i]
		row[0].Value, row[1].Value, row[2].Value = bodyKey(&b.BodyRef), b.PromptID, b.Version
		row[3].Value, row[4].Value, row[5].Value = int64(b.Ordinal), b.Text, b.Fields
	})
	clear(a.bodies) // they are the caller's
	if err != nil {
		return err
	}
	for i := range count {
		for _, m := range count[i].Moves {
			if err := a.move(m, count[i].Revision); err != nil {
				return err
			}
		}
	}
	return a.drop(count)
}

func (l *Log) move(m driver.Move, revision uint64) error {
	if m.Version == "" {
		_, err := l.w.exec("DELETE FROM labels WHERE prompt_id = ? AND label = ?", m.PromptID, m.Label)
		return err
	}
	_, err := l.w.exec("INSERT OR REPLACE INTO labels (prompt_id, label, version, revision) VALUES (?, ?, ?, ?)",
		m.PromptID, m.Label, m.Version, int64(revision))
	return err
}

// drop removes the bodies that entries drop, or notes them.
func (a *addition) drop(entries []driver.Entry) error {
	var keys []int64
	for i := range entries {
		for j := range entries[i].Dropped {
			if ref := &entries[i].Dropped[j]; ref.Revision >= a.cleared {
				keys = append(keys, bodyKey(ref))
			}
		}
	}
	if len(keys) > a.dropNow {
		a.litter = true
		return droppedRows.insert(a.w, len(keys), func(i int, row []sqldriver.NamedValue) { row[0].Value = keys[i] })
	}
	for _, key := range keys {
		if _, err := a.w.exec("DELETE FROM bodies WHERE key = ?", key); err != nil {
			return err
		}
	}
	return nil
}

// leadingID returns the id that an entry's data begins with, in the form in which
// core writes it. The column id holds it only where data does not, since it would
// be a fiftieth of the file.
func leadingID(data string, revision uint64) (id string, ok bool) {
	var buf [48]byte
	lead := strconv.AppendUint(append(buf[:0], `{"revision":`...), revision, 10)
	lead = append(lead, `,"id":"`...)
	if len(data) < len(lead) || data[:len(lead)] != string(lead) {
		return "", false
	}
	id, _, ok = strings.Cut(data[len(lead):], `"`)
	return id, ok && !strings.ContainsRune(id, '\\')
}

// A table is what rows are inserted into, many with one statement: a statement
// costs as much as a row or two.
type table struct {
	columns int
	queries []string // for 1, 2, 4 … rows
}

var (
	commitRows  = newTable("commits (revision, id, hash, data)", 4)
	bodyRows    = newTable("bodies (key, prompt_id, version, ordinal, text, fields)", 6)
	droppedRows = newTable("dropped (key)", 1)
)

// mostRows is where more rows a statement gain nothing any more.
const mostRows = 32

func newTable(into string, columns int) *table {
	t := &table{columns: columns}
	row := ",(" + strings.Repeat(",?", columns)[1:] + ")"
	for n := 1; n <= mostRows; n *= 2 {
		// A row that is there already is a bug or damage. OR ROLLBACK spares
		// SQLite to keep what a statement of many rows would need to undo it alone.
		t.queries = append(t.queries, "INSERT OR ROLLBACK INTO "+into+" VALUES "+strings.Repeat(row, n)[1:])
	}
	return t
}

// insert inserts n rows; row fills in the i-th.
func (t *table) insert(c *conn, n int, row func(i int, values []sqldriver.NamedValue)) error {
	for i, k := 0, len(t.queries)-1; i < n; {
		for 1<<k > n-i {
			k--
		}
		values := c.bind(t.columns << k)
		for j := range 1 << k {
			row(i+j, values[j*t.columns:(j+1)*t.columns])
		}
		if _, err := c.execBound(t.queries[k], values); err != nil {
			return err
		}
		i += 1 << k
	}
	return nil
}
