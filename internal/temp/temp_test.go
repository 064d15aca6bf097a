package temp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/temp"
	"github.com/stet-dev/stet/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m, map[string]func(args []string) error{"hold": hold})
}

// hold makes a file for a path and a directory beside it, and keeps both until it is
// killed.
func hold(args []string) error {
	ctx := context.Background()
	path := args[0]
	if _, err := filelock.Acquire(ctx, temp.LockPath(path), filelock.Options{}); err != nil {
		return err
	}
	f, err := temp.Create(path)
	if err != nil {
		return err
	}
	d, err := temp.Mkdir(ctx, filepath.Dir(path), "work-")
	if err != nil {
		return err
	}
	for _, name := range []string{f.Name() + "-journal", d.Path("copy")} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			return err
		}
	}
	fmt.Println("held")
	select {}
}

// names returns what is in a directory.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestKilled: what a process makes stays as long as it lives, and goes when it was
// killed, whoever comes next. What is not of such a process stays.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	mine := []string{".x.0123456789ab.tmp", ".x.db.0123456789AB.tmp", ".x.db.0123456789ab.tmp.bak", ".x.db.1234", ".x.db.tmp", "work-", "work-12", "work-x"}
	for _, name := range mine {
		var err error
		if strings.HasPrefix(name, "work-") {
			err = os.Mkdir(filepath.Join(dir, name), 0o700)
		} else if name != ".x.0123456789ab.tmp" {
			err = os.WriteFile(filepath.Join(dir, name), nil, 0o600)
		} else {
			err = os.Mkdir(filepath.Join(dir, name), 0o700) // its name is that of one, and it is no file
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := testkit.Child(ctx, t, "hold", filepath.Join(dir, "x.db"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "held" {
		t.Fatalf("the child says %q", lines.Text())
	}
	sweep := func() []string {
		t.Helper()
		temp.RemoveAllLeftovers(t.Context(), dir)
		d, err := temp.Mkdir(t.Context(), dir, "work-")
		if err != nil {
			t.Fatal(err)
		}
		d.Remove()
		d.Remove() // again
		return slices.DeleteFunc(names(t, dir), func(name string) bool { return slices.Contains(mine, name) })
	}
	if left := sweep(); len(left) != 4 { // the file, its journal, the directory, the lock
		t.Errorf("while the process lives there are %q", left)
	}
	cancel()
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	if left := sweep(); !slices.Equal(left, []string{"x.db.lock"}) {
		t.Errorf("after it was killed there are %q", left)
	}
	if all := names(t, dir); len(all) != len(mine)+1 {
		t.Errorf("of %q there are %q", mine, all)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	make := func(content string) *temp.File {
		f, err := temp.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := f.File().Stat(); err != nil || info.Size() != 0 {
			t.Errorf("it is not empty: %v", err)
		}
		if _, err := f.File().WriteString(content); err != nil {
			t.Fatal(err)
		}
		return f
	}
	is := func(content string) {
		t.Helper()
		if b, err := os.ReadFile(path); err != nil || string(b) != content || len(names(t, filepath.Dir(path))) != 1 {
			t.Errorf("%q, %v, in %q", b, err, names(t, filepath.Dir(path)))
		}
	}
	f := make("one")
	if installed, err := f.Install(false); err != nil || !installed {
		t.Fatal(installed, err)
	}
	f.Remove()
	is("one")
	f = make("two")
	if installed, err := f.Install(false); !errors.Is(err, fs.ErrExist) || installed {
		t.Errorf("over what is there: %v, %v", installed, err)
	}
	f.Remove()
	is("one")
	f = make("three")
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if installed, err := f.Install(true); err != nil || !installed {
		t.Error(installed, err)
	}
	is("three")
}
