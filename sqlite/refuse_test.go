package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

// filled returns the bytes of a closed store with some megabytes in it.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filled.db")
	s := open(t, path, nil)
	for i := range 40 {
		save(t, s, "a", fmt.Sprint(i, strings.Repeat("x", 50_000)))
	}
	shut(t, s)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRefused opens what is not a sound store. Each gets a code and a sentence,
// and is left as it was.
func TestRefused(t *testing.T) {
	good := filled(t)
	newer := bytes.Clone(good)
	newer[63] = 99 // user_version, big-endian at 60
	other := bytes.Clone(good)
	copy(other[68:], "\x00\x00\x00\x01") // application_id
	for _, x := range []struct {
		name    string
		content []byte
		code    stet.Code
		says    string
	}{
		{"a text", bytes.Repeat([]byte("Dear diary. "), 100), stet.CodeInvalid, "it is not an SQLite file"},
		{"a short text", []byte("hello"), stet.CodeInvalid, "it is not an SQLite file"},
		{"an empty file", nil, stet.CodeInternal, "it is empty (0 bytes)"},
		{"a newer stet's", newer, stet.CodeInvalid, "has version 99, and this stet knows versions up to 1. It was left as it is. Update stet."},
		{"another application's", other, stet.CodeInvalid, "of another application"},
		{"cut in the header", good[:50], stet.CodeInternal, "is damaged"},
		{"cut in the middle", good[:len(good)/2], stet.CodeInternal, "is damaged"},
		{"cut in a page", good[:len(good)/2+100], stet.CodeInternal, "is damaged"},
		{"cut by one byte", good[:len(good)-1], stet.CodeInternal, fmt.Sprintf("cut off after %d of %d bytes", len(good)-1, len(good))},
	} {
		t.Run(x.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			if err := os.WriteFile(path, x.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sqlite.Open(t.Context(), path, nil)
			refused(t, err, x.code, x.says)
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, x.content) {
				t.Errorf("the file was changed, %v", err)
			}
			if _, err := os.Stat(path + ".lock"); err == nil && x.code == stet.CodeInvalid {
				t.Error("a lock was left beside a file that is not a store")
			}
		})
	}
}

func refused(t *testing.T, err error, code stet.Code, says string) {
	t.Helper()
	if stet.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), says) {
		t.Errorf("got %v\nwant %s: … %s …", err, code, says)
	}
	var e *stet.Error
	if !errors.As(err, &e) {
		t.Errorf("%T is not the store's error", err)
	}
}

func TestRefusedPlaces(t *testing.T) {
	dir := t.TempDir()
	for _, x := range []struct {
		path, says string
	}{
		{dir, "is a directory. Name a file"},
		{filepath.Join(dir, "no", "stet.db"), "there is no directory"},
		{"", "is not the name of a file"},
		{":memory:", "is not the name of a file"},
	} {
		_, err := sqlite.Open(t.Context(), x.path, nil)
		refused(t, err, stet.CodeInvalid, x.says)
	}
}

// TestFileGoneWALThere is a store whose file was removed after a crash: a new one
// in its place would destroy the commits that are left.
func TestFileGoneWALThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	if err := os.WriteFile(path+"-wal", []byte("commits"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), path, nil)
	refused(t, err, stet.CodeConflict, "move it back")
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was made")
	}
}

// TestUnfinishedCreation finds what a process left that was killed while it made
// a store.
func TestUnfinishedCreation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	for _, rest := range []string{".new", ".new-journal", ".new-wal"} {
		if err := os.WriteFile(path+rest, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path, nil)
	save(t, s, "a", "one")
	sound(t, s)
	shut(t, s)
}

// readOnlyChild opens stores that it may not write to, as somebody who is not root.
func readOnlyChild(args []string) error {
	if os.Getuid() == 0 {
		if err := dropRoot(); err != nil {
			return err
		}
	}
	for _, path := range args {
		s, err := sqlite.Open(background, path, nil)
		if err == nil {
			s.Close()
			return fmt.Errorf("%s was opened", path)
		}
		if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "cannot be written to by this user") {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func TestReadOnly(t *testing.T) {
	good := filled(t)
	dir, err := os.MkdirTemp("", "stet") // t.TempDir is below a directory that others may not enter
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, fixed := filepath.Join(dir, "file"), filepath.Join(dir, "directory")
	for _, d := range []string{file, fixed} {
		if err := errors.Join(os.Mkdir(d, 0o777), os.WriteFile(filepath.Join(d, "stet.db"), good, 0o444)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(file, 0o777), os.Chmod(fixed, 0o555)); err != nil {
		t.Fatal(err)
	}
	cmd := testkit.Child(t.Context(), t, "read-only", filepath.Join(file, "stet.db"), filepath.Join(fixed, "stet.db"), filepath.Join(fixed, "new.db"))
	cmd.Dir = "/"
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}
