package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// TestMigration opens a store of each version there has been with a stet that
// knows one more.
func TestMigration(t *testing.T) {
	newer := append(schema[:len(schema):len(schema)], "ALTER TABLE labels ADD COLUMN note TEXT; UPDATE labels SET note = 'migrated'")
	for from := 1; from < len(newer); from++ {
		path := filepath.Join(t.TempDir(), "stet.db")
		l, err := openLog(t.Context(), path, Options{}, newer[:from])
		if err != nil {
			t.Fatal(err)
		}
		add(t, l, 5)
		addOne(t, l, func(e *driver.Entry) { e.Moves = []driver.Move{{PromptID: "p", Label: "x", Version: "0.0.1"}} })
		id := l.Info().StoreID
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}

		// One that fails changes nothing.
		broken := append(newer[:from:from], "DROP TABLE commits; SELECT no_such_function()")
		if l, err := openLog(t.Context(), path, Options{}, broken); err == nil {
			l.Close()
			t.Fatal("a migration that fails was taken for done")
		}

		l, err = openLog(t.Context(), path, Options{}, newer)
		if err != nil {
			t.Fatal(err)
		}
		has(t, l, 6)
		add(t, l, 1)
		l.writer <- struct{}{}
		note, err := l.w.text("SELECT note FROM labels")
		if err != nil || note != "migrated" || l.Info().StoreID != id {
			t.Errorf("after the migration: note %q, %v, store %s, not %s", note, err, l.Info().StoreID, id)
		}
		if v, err := l.w.integer("PRAGMA user_version"); err != nil || v != int64(len(newer)) {
			t.Errorf("after the migration the file has version %d, %v", v, err)
		}
		l.unlockWriter()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}

		// And the older stet leaves it alone.
		_, err = openLog(t.Context(), path, Options{}, newer[:from])
		if stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), "was written by a newer stet") {
			t.Errorf("an older stet says %v", err)
		}
		l, err = openLog(t.Context(), path, Options{}, newer)
		if err != nil {
			t.Fatal(err)
		}
		has(t, l, 7)
		l.Close()
	}
}

func TestCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	l := openAt(t, path)
	load := func() (uint64, string) {
		t.Helper()
		var all []string
		r, err := l.LoadCheckpoint(t.Context(), func(c driver.Chunk) error {
			all = append(all, c.Key+"="+string(c.Data))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return r, strings.Join(all, " ")
	}
	if r, all := load(); r != 0 || all != "" {
		t.Errorf("a new log has a checkpoint of %d: %s", r, all)
	}
	add(t, l, 9)
	for _, x := range []struct {
		revision uint64
		reset    bool
		chunks   []driver.Chunk
		want     string
	}{
		{3, true, []driver.Chunk{{Key: "b", Data: []byte("2")}, {Key: "a", Data: []byte("1")}, {Key: "c", Data: []byte{}}}, "a=1 b=2 c="},
		{5, false, []driver.Chunk{{Key: "b", Data: []byte("3")}, {Key: "a"}, {Key: "no"}, {Key: "b2", Data: []byte("4")}}, "b=3 b2=4 c="},
		{9, true, []driver.Chunk{{Key: "z", Data: []byte("\x00\xff")}}, "z=\x00\xff"},
	} {
		if err := l.SaveCheckpoint(t.Context(), x.revision, x.reset, x.chunks); err != nil {
			t.Fatal(err)
		}
		if r, all := load(); r != x.revision || all != x.want {
			t.Errorf("got %d %q, want %d %q", r, all, x.revision, x.want)
		}
	}
	on(t, l, "COMMIT", fails(13))
	if err := l.SaveCheckpoint(t.Context(), 10, true, nil); !errors.Is(err, driver.ErrNotApplied) {
		t.Errorf("on a full disk: %v", err)
	}
	on(t, l, "", nil)
	stop := errors.New("stop")
	if _, err := l.LoadCheckpoint(t.Context(), func(driver.Chunk) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("LoadCheckpoint does not return what the call said: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openAt(t, path)
	if r, all := load(); r != 9 || all != "z=\x00\xff" {
		t.Errorf("reopened: %d %q", r, all)
	}
}

// TestReadIsBounded reads entries that are large together.
func TestReadIsBounded(t *testing.T) {
	l := newLog(t)
	tail := driver.Tail{}
	entries := next(tail, 12)
	for i := range entries {
		entries[i].Data = append(entries[i].Data, strings.Repeat(" ", driver.MaxData-100)...)
		if i == 5 {
			entries[i].Data = append(entries[i].Data, strings.Repeat(" ", 2*readBytes)...)
		}
	}
	if err := l.Append(t.Context(), tail, entries); err != nil {
		t.Fatal(err)
	}
	at, most := uint64(0), 0
	for {
		page, err := l.Read(t.Context(), at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		bytes := 0
		for _, e := range page {
			at++
			bytes += len(e.Data)
			if e.Revision != at || string(e.Data) != string(entries[at-1].Data) {
				t.Fatalf("revision %d at %d, or other data", e.Revision, at)
			}
		}
		if bytes > readBytes && len(page) > 1 {
			t.Errorf("%d entries with %d bytes at once", len(page), bytes)
		}
		most = max(most, len(page))
	}
	if at != 12 || most < 2 {
		t.Errorf("read %d entries, at most %d at once", at, most)
	}
}

// TestCheck damages a log in ways that SQLite finds, and in ways that only the
// tables tell.
func TestCheck(t *testing.T) {
	for _, x := range []struct{ sql, says string }{
		{"", ""},
		{"INSERT INTO bodies VALUES (9999999, 'p', '1.0.0', 1, '', '{}')", "a body of revision 9765, operation 639, which the log does not have"},
		{"DELETE FROM commits WHERE revision = 2", "the log has 2 rows and ends at revision 3"},
		{"INSERT INTO labels VALUES ('p', 'x', '1.0.0', 7)", "label p x was set at revision 7"},
	} {
		l := newLog(t)
		add(t, l, 3)
		l.writer <- struct{}{}
		err := l.w.script(x.sql)
		l.unlockWriter()
		if err != nil {
			t.Fatal(err)
		}
		problems, err := l.Check(t.Context())
		if err != nil || (x.says == "") != (len(problems) == 0) || x.says != "" && !strings.Contains(problems[0], x.says) {
			t.Errorf("after %q: %q, %v", x.sql, problems, err)
		}
	}
}
