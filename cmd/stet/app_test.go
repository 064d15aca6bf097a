package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/term"
	"github.com/stet-dev/stet/sqlite"
)

// testApp returns an app that prints into files, and what returns its messages.
func testApp(t *testing.T, store string) (a *app, messages func() string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	stdout, stderr := file("stdout"), file("stderr")
	a = &app{ctx: t.Context(), flags: &cli{Store: store}, stdout: stdout, out: term.New(stdout, false), errs: term.New(stderr, false)}
	return a, func() string { return readFile(t, stderr.Name()) }
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReport checks the exit code of each kind of error and what is printed. Of
// an unknown outcome that is the id to send the commit again with.
func TestReport(t *testing.T) {
	unknown := stet.Errorf(stet.CodeUnknown, "the disk was gone.")
	unknown.CommitID = "0199-id"
	const hint = "stet: unknown: the disk was gone.\nTo send it again: the same command with --commit-id 0199-id\n"
	for _, x := range []struct {
		err  error
		code int
		says string
	}{
		{nil, 0, ""},
		{errReported, 1, ""},
		{errors.New("plain"), 1, "stet: plain\n"},
		{unknown, 5, hint},
		{fmt.Errorf("around it: %w", unknown), 5, hint},
		{stet.Errorf(stet.CodeUnknown, "it had no id."), 5, "stet: unknown: it had no id.\n"},
		{stet.Errorf(stet.CodeInvalid, "x"), 2, "stet: invalid: x\n"},
		{stet.Errorf(stet.CodeNotFound, "x"), 3, "stet: not_found: x\n"},
		{stet.Errorf(stet.CodeConflict, "x"), 4, "stet: conflict: x\n"},
		{stet.Errorf(stet.CodeUnavailable, "x"), 1, "stet: unavailable: x\n"},
		{stet.Errorf(stet.CodeTooLarge, "x"), 1, "stet: too_large: x\n"},
		{stet.Errorf(stet.CodeInternal, "x"), 1, "stet: internal: x\n"},
	} {
		a, messages := testApp(t, "memory:")
		if code := a.report(x.err); code != x.code {
			t.Errorf("%v: the exit code is %d, want %d", x.err, code, x.code)
		}
		if got := messages(); got != x.says {
			t.Errorf("%v: it prints %q, want %q", x.err, got, x.says)
		}
	}
}

// TestLocked runs commands on a store that another has open and keeps open: they
// wait, say for whom, give up, and change nothing.
func TestLocked(t *testing.T) {
	defer func(d time.Duration) { lockWait = d }(lockWait)
	lockWait = 60 * time.Millisecond

	path := filepath.Join(t.TempDir(), "stet.db")
	s, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: "A"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := readFile(t, path)
	lock, err := filelock.Acquire(t.Context(), path+".lock", filelock.Options{})
	if err != nil {
		t.Fatal(err)
	}

	text := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(text, []byte("B"), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := map[string]interface{ Run(*app) error }{
		"save":   &saveCmd{ID: "a", File: text},
		"delete": &deleteCmd{Ref: "a", Yes: true},
		"verify": &verifyCmd{},
	}
	for name, c := range commands {
		a, messages := testApp(t, "sqlite:"+path)
		start := time.Now()
		if code := a.report(c.Run(a)); code != exitFailed {
			t.Errorf("%s: the exit code is %d, want 1", name, code)
		}
		if took := time.Since(start); took < lockWait {
			t.Errorf("%s: it gave up after %v", name, took)
		}
		waiting, failed, _ := strings.Cut(messages(), "\n")
		if !strings.HasPrefix(waiting, "waiting for this process (") || !strings.HasSuffix(waiting, " UTC …") {
			t.Errorf("%s: it says %q first", name, waiting)
		}
		if !strings.HasPrefix(failed, "stet: unavailable: "+path+" is open in this process (") ||
			!strings.HasSuffix(failed, ", and only one program at a time may have it open. Nothing changed. Try again when that program has ended.\n") {
			t.Errorf("%s: it says %q in the end", name, failed)
		}
	}
	if readFile(t, path) != before {
		t.Error("the store was changed")
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("a WAL was made beside the store")
	}

	// As soon as the other has ended, the same command is carried out.
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	a, messages := testApp(t, "sqlite:"+path)
	if code := a.report(commands["save"].Run(a)); code != exitDone || messages() != "" {
		t.Errorf("after it: the exit code is %d, %q", code, messages())
	}
}
