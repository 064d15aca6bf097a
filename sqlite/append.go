package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"github.com/stet-dev/stet/driver"
)

// keysPerRevision is how many keys of bodies a revision has: the power of two
// above driver.MaxOps, so that a key is easy to split.
const keysPerRevision = 1024

func bodyKey(ref *driver.BodyRef) int64 { return int64(ref.Revision)*keysPerRevision + int64(ref.Op) }

// removeNow is how many bodies an append removes itself. Each may be on a page of its own,
// and the whole page is written. If there are more, their keys go to the table dropped,
// and maintain removes them later. On a full disk there is little room for pages.
const (
	removeNow       = 256
	removeNowOnFull = 8
)

// Append implements driver.Log. Once its transaction has begun, ctx does not stop it.
func (l *Log) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	if err := context.Cause(ctx); err != nil {
		return notApplied(err)
	}
	if err := l.lockWriter(ctx); err != nil {
		return notApplied(err)
	}
	defer l.unlockWriter()
	if prev != l.last.tail {
		return driver.ErrMoved
	}
	a := appendTx{Log: l, tail: prev, cleared: l.last.cleared, removeNow: removeNow}
	err := l.write(func() error {
		if err := a.insert(entries); err != nil {
			return err
		}
		if addsBodies(entries) {
			return l.growReserve()
		}
		return nil
	})
	if isFull(err) && l.stopped.Load() == nil && removesBodies(entries) {
		l.useReserve()
		a = appendTx{Log: l, tail: prev, cleared: l.last.cleared, removeNow: removeNowOnFull}
		err = l.write(func() error { return a.insert(entries) })
	}
	if err != nil {
		return err
	}
	l.last.tail, l.last.cleared = a.tail, a.cleared
	if l.cleared.Swap(a.cleared) != a.cleared {
		l.purgePending = true
	}
	l.tail.Store(&a.tail)
	l.wakeMaintain()
	return nil
}

// An appendTx is the transaction of an append.
type appendTx struct {
	*Log
	tail      driver.Tail // of the entries so far
	cleared   uint64
	removeNow int // the most bodies that it removes itself
}

// insert writes entries, with the bodies and moves that no later entry clears.
func (a *appendTx) insert(entries []driver.Entry) error {
	cleared := a.cleared
	kept := entries // those from the last clear on: it removes earlier bodies and labels
	for i := range entries {
		e := &entries[i]
		if want := a.tail.Revision + 1; e.Revision != want {
			return fmt.Errorf("sqlite: an append has revision %d where %d belongs", e.Revision, want)
		}
		a.tail = driver.Tail{Revision: e.Revision, Hash: e.Hash}
		if e.Cleared {
			a.cleared, kept = e.Revision, entries[i:]
		}
	}
	if a.cleared != cleared {
		if _, err := a.w.exec("DELETE FROM labels"); err != nil { // fast, since it has no condition
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
	for i := range kept {
		for j := range kept[i].Bodies {
			a.bodies = append(a.bodies, &kept[i].Bodies[j])
		}
	}
	err = bodyRows.insert(a.w, len(a.bodies), func(i int, row []sqldriver.NamedValue) {
		b := a.bodies[i]
		row[0].Value, row[1].Value, row[2].Value = bodyKey(&b.BodyRef), b.PromptID, b.Version
		row[3].Value, row[4].Value, row[5].Value = int64(b.Ordinal), b.Text, b.Fields
	})
	clear(a.bodies) // do not keep what is the caller's
	if err != nil {
		return err
	}
	for i := range kept {
		for _, m := range kept[i].Moves {
			if err := a.move(m, kept[i].Revision); err != nil {
				return err
			}
		}
	}
	return a.removeBodies(kept)
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

// removeBodies removes the bodies that entries drop, or notes them for maintain.
func (a *appendTx) removeBodies(entries []driver.Entry) error {
	var keys []int64
	for i := range entries {
		for j := range entries[i].Dropped {
			if ref := &entries[i].Dropped[j]; ref.Revision >= a.cleared {
				keys = append(keys, bodyKey(ref))
			}
		}
	}
	if len(keys) > a.removeNow {
		a.purgePending = true
		return droppedRows.insert(a.w, len(keys), func(i int, row []sqldriver.NamedValue) { row[0].Value = keys[i] })
	}
	for _, key := range keys {
		if _, err := a.w.exec("DELETE FROM bodies WHERE key = ?", key); err != nil {
			return err
		}
	}
	return nil
}

// leadingID returns the id that an entry's data begins with, in the form that core
// writes. The column id holds the id only if the data does not begin so: a second copy
// would be a fiftieth of the file.
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

// A table has the statements that insert rows into a table, many rows with one
// statement: a statement costs as much as a row or two.
type table struct {
	columns int
	queries []string // for 1, 2, 4 … rows
}

var (
	commitRows  = newTable("commits (revision, id, hash, data)", 4)
	bodyRows    = newTable("bodies (key, prompt_id, version, ordinal, text, fields)", 6)
	droppedRows = newTable("dropped (key)", 1)
)

// maxRows is the most rows of one statement. More make it no faster.
const maxRows = 32

func newTable(into string, columns int) *table {
	t := &table{columns: columns}
	row := ",(" + strings.Repeat(",?", columns)[1:] + ")"
	for n := 1; n <= maxRows; n *= 2 {
		// A row that is already there is a bug or damage. With OR ROLLBACK SQLite need
		// not keep what it takes to undo a statement of many rows alone.
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
