package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

var background = context.Background()

func open(t *testing.T, path string, opts *sqlite.Options) *stet.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t *testing.T, s *stet.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func save(t *testing.T, s *stet.Store, id, text string, labels ...string) stet.Version {
	t.Helper()
	saved, err := s.Save(t.Context(), stet.Draft{PromptID: id, Text: text, Bump: "patch", Labels: labels, Author: "ana", Message: "because"})
	if err != nil {
		t.Fatal(err)
	}
	return saved.Version
}

// sound runs the store's own check.
func sound(t *testing.T, s *stet.Store) {
	t.Helper()
	r, err := s.Verify(t.Context(), stet.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("verify: %s", strings.Join(r.Problems, "\n"))
	}
}

func TestReopened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a store, 100 % of it?.db")
	s := open(t, path, nil)
	id := s.ID()
	save(t, s, "a/b", "one", "production")
	save(t, s, "a/b", "two", "production")
	if _, err := s.Rollback(t.Context(), stet.By{}, stet.Rollback{PromptID: "a/b"}); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the WAL is there after a clean close")
	}

	s = open(t, path, nil)
	defer shut(t, s)
	if s.ID() != id || s.Engine() != "sqlite" {
		t.Errorf("reopened, it is %s of engine %s, not %s", s.ID(), s.Engine(), id)
	}
	v, err := s.Get(t.Context(), "a/b")
	if err != nil || v.Text() != "one" || v.Author() != "ana" {
		t.Errorf("got %v %q by %s, %v", v.Number(), v.Text(), v.Author(), err)
	}
	sound(t, s)
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // it has no modes
	}
	path := filepath.Join(t.TempDir(), "stet.db")
	s := open(t, path, nil)
	defer shut(t, s)
	save(t, s, "a", "one")
	for _, rest := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + rest)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path+rest, info.Mode())
		}
	}
}

// TestForPeople asks what a person would, with the sqlite3 command line, while
// the store is open.
func TestForPeople(t *testing.T) {
	tool, err := exec.LookPath("sqlite3")
	if err != nil {
		testkit.LeftOut(t, "the views, read by the sqlite3 command line", err)
		return // TestViews reads them through the driver
	}
	path := filepath.Join(t.TempDir(), "stet.db")
	s := open(t, path, nil)
	defer shut(t, s)
	people(t, s, func(query string) string {
		out, err := exec.Command(tool, path, query).CombinedOutput()
		if err != nil {
			t.Fatalf("sqlite3 %q: %v: %s", query, err, out)
		}
		return string(out)
	})
	save(t, s, "a", "reading it has not stopped anybody from writing")
}

// people fills a store and holds what queries say against it.
func people(t *testing.T, s *stet.Store, ask func(query string) string) {
	t.Helper()
	save(t, s, "support/triage", "gone with the clear", "production")
	if err := s.Clear(t.Context(), stet.By{Author: "bo"}); err != nil {
		t.Fatal(err)
	}
	one := save(t, s, "support/triage", "Be polite.", "production", "staging")
	save(t, s, "support/triage", "Be brief.")
	if _, err := s.SetLabel(t.Context(), stet.By{Author: "bo", Message: "try it"}, stet.SetLabel{PromptID: "support/triage", Label: "staging", Version: "latest"}); err != nil {
		t.Fatal(err)
	}
	deleted := save(t, s, "support/triage", "gone with the delete")
	if _, err := s.Delete(t.Context(), stet.By{}, stet.Delete{PromptID: "support/triage", Version: deleted.Number().String()}); err != nil {
		t.Fatal(err)
	}
	chat, err := s.Save(t.Context(), stet.Draft{PromptID: "z", Type: "chat", Messages: []byte(`[{"role":"user","content":"Hi"}]`), Metadata: []byte(`{"score":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ query, want string }{
		{"SELECT version, ordinal, revision, labels, author, message, type, text FROM versions WHERE prompt_id = 'support/triage' ORDER BY ordinal",
			"1.0.0|1|3|production|ana|because|text|Be polite.\n1.0.1|2|4|staging|ana|because|text|Be brief.\n"},
		{"SELECT digest, created_at FROM versions WHERE version = '1.0.0' AND prompt_id = 'support/triage'",
			fmt.Sprintf("%s|%s\n", one.Digest(), one.CreatedAt().Format("2006-01-02T15:04:05.000000Z"))},
		{"SELECT type, text, metadata, digest FROM versions WHERE prompt_id = 'z'",
			fmt.Sprintf("chat|%s|{\"score\":1}|%s\n", chat.Version.Content().Messages(), chat.Version.Digest())},
		{"SELECT revision, author, message, ops FROM log WHERE revision IN (2, 5, 7)",
			"2|bo||clear\n5|bo|try it|set_label support/triage staging from 1.0.0 to 1.0.1\n7|||delete support/triage@1.0.2\n"},
		{"SELECT count(id), count(DISTINCT id), count(time), min(length(hash)) FROM log", "8|8|8|64\n"},
		{"SELECT label, version, revision FROM labels ORDER BY label", "production|1.0.0|3\nstaging|1.0.1|5\n"},
	} {
		if got := ask(x.query); got != x.want {
			t.Errorf("%s\n got %q\nwant %q", x.query, got, x.want)
		}
	}
}
