package sqlite_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// hold has a store open until its input ends.
func hold(args []string) error {
	log, err := sqlite.OpenLog(background, args[0], nil)
	if err != nil {
		return err
	}
	fmt.Println(os.Getpid())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return log.Close()
}

func TestSecondProcessIsToldWho(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stet.db")
	out, end := start(t, "hold", path)
	if !out.Scan() {
		t.Fatal("the child does not hold the store")
	}
	pid := out.Text()

	_, err := sqlite.Open(t.Context(), path, nil)
	if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "process "+pid+" (") || !strings.Contains(err.Error(), " since 2") {
		t.Errorf("a second opener is told: %v", err)
	}

	var told string
	log, err := sqlite.OpenLog(t.Context(), path, &sqlite.Options{Wait: time.Hour, Waiting: func(holder string) {
		told = holder
		end()
	}})
	if err != nil {
		t.Fatalf("an opener that waits: %v", err)
	}
	if !strings.Contains(told, pid) {
		t.Errorf("an opener that waits is told to wait for %q", told)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

func TestSecondOpenerInTheSameProcess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stet.db")
	s := open(t, path, nil)
	save(t, s, "a", "one")
	other := filepath.Join(dir, "link.db")
	if err := os.Symlink(path, other); err != nil {
		t.Logf("no symbolic links here: %v", err)
		other = path
	}
	for _, p := range []string{path, other} {
		if _, err := sqlite.Open(t.Context(), p, nil); stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "this process") {
			t.Errorf("opening %s again: %v", p, err)
		}
	}
	shut(t, s)
	shut(t, open(t, path, nil))
}
