package core_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

// Verify reports a time that goes back, with its revision: no commit of this store
// makes one, and a read at a time would be wrong.
func TestVerifyFindsATimeThatGoesBack(t *testing.T) {
	l := memory.New()
	c := start(t, &hook{Log: l, keep: true}, core.Options{})
	for _, text := range []string{"first", "second", "third"} {
		if _, err := c.Commit(t.Context(), stet.Commit{Ops: []stet.Op{saving("a", text)}}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := l.Read(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	// The same log with the second entry's time decades before the first one's.
	wrong := memory.New()
	var tail driver.Tail
	for _, e := range entries {
		e.Data = bytes.Clone(e.Data)
		if e.Revision == 2 {
			at := bytes.Index(e.Data, []byte(`"time":"`)) + len(`"time":"`)
			copy(e.Data[at:], "1999")
		}
		e.Hash = sha256.Sum256(append(tail.Hash[:], e.Data...))
		if e.Bodies, err = bodiesOf(t, l, &e); err != nil {
			t.Fatal(err)
		}
		if err := wrong.Append(t.Context(), tail, []driver.Entry{e}); err != nil {
			t.Fatal(err)
		}
		tail = driver.Tail{Revision: e.Revision, Hash: e.Hash}
	}
	r, err := start(t, wrong, core.Options{}).Verify(t.Context(), stet.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "revision 2 ") || !strings.Contains(r.Problems[0], "1999") {
		t.Errorf("the problems are %q, and should be one: the time at revision 2", r.Problems)
	}
}

// bodiesOf returns the body that an entry with one save brought.
func bodiesOf(t *testing.T, l *memory.Log, e *driver.Entry) ([]driver.Body, error) {
	t.Helper()
	b, err := l.Body(t.Context(), driver.BodyRef{Revision: e.Revision})
	return []driver.Body{b}, err
}
