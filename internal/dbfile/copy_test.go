package dbfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stet-dev/stet"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInstallStepByStep looks at what is on the disk before each step of putting a copy
// over a file, which is where a loss of power may end it: the new file never stands
// beside what belonged to the old one.
func TestInstallStepByStep(t *testing.T) {
	for _, exists := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "x.db")
		if exists {
			write(t, path, "old")
		}
		for _, rest := range []string{"-wal", "-shm", "-journal"} {
			write(t, path+rest, "old")
		}
		p, err := Create(t.Context(), path, Options{Overwrite: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.File.File().WriteString("new"); err != nil {
			t.Fatal(err)
		}
		var steps []string
		p.step = func(what string) {
			steps = append(steps, what)
			b, err := os.ReadFile(path)
			left := SideFiles(path)
			switch {
			case err == nil && string(b) == "new" && (len(left) > 0 || what != "end"):
				t.Errorf("before %q the new file is there, beside %q", what, left)
			case err == nil && string(b) == "new":
			case exists != (err == nil), what == "end":
				t.Errorf("before %q the file has %q, %v", what, b, err)
			}
		}
		if err := p.Install(); err != nil {
			t.Fatal(err)
		}
		p.Close()
		if want := []string{"remove -wal", "remove -shm", "remove -journal", "sync the directory", "rename", "end"}; !slices.Equal(steps, want) {
			t.Errorf("the steps were %q", steps)
		}
	}
}

// TestInstallBesideWhatCameMeanwhile: a copy takes long, and somebody who does not ask for
// the lock does not lose what was put there meanwhile.
func TestInstallBesideWhatCameMeanwhile(t *testing.T) {
	for _, rest := range []string{"", "-wal", "-shm", "-journal"} {
		path := filepath.Join(t.TempDir(), "x.db")
		p, err := Create(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, path+rest, "theirs")
		if err := p.Install(); stet.CodeOf(err) != stet.CodeConflict {
			t.Errorf("beside %q: %v", rest, err)
		}
		p.Close()
		entries, err := os.ReadDir(filepath.Dir(path))
		if b, rerr := os.ReadFile(path + rest); rerr != nil || string(b) != "theirs" || err != nil || len(entries) != 1 {
			t.Errorf("%q has %q; there are %v, %v", rest, b, entries, err)
		}
	}
}
