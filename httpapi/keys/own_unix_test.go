//go:build unix

package keys_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/internal/testkit"
)

// TestNotTheKeys: keys that another user has put there, who then has them, are not used
// and not written to, be it through a link.
func TestNotTheKeys(t *testing.T) {
	refused := func(what, p, says string) {
		t.Helper()
		if _, _, err := keys.Read(p); stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: Read says %v", what, err)
		}
		if _, err := keys.EnsureAdmin(t.Context(), p, time.Now()); stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: an update says %v", what, err)
		}
	}
	p := path(t)
	if err := syscall.Mkfifo(p, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a pipe", p, "it is a pipe")
	if os.Getuid() != 0 {
		testkit.LeftOut(t, "the keys of another user", "only root can give a file away")
		return
	}
	p = path(t)
	create(t, p, writer("a"))
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(p, link), os.Lchown(link, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	refused("another user's link to one's own", link, "belongs to another user")
	if _, err := keys.Open(link, nil); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("a server begins with them: %v", err)
	}
	if err := os.Chown(p, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	refused("another user's", p, "belongs to another user")
	if err := os.Chown(filepath.Dir(p), 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if _, _, err := keys.Read(p); err != nil {
		t.Errorf("another user's, in the directory of that user: %v", err)
	}
}

// TestKilledUpdate: what an update left that was killed goes with the next.
func TestKilledUpdate(t *testing.T) {
	p := path(t)
	left := filepath.Join(filepath.Dir(p), "."+filepath.Base(p)+".0123456789ab.tmp")
	write(t, left, "half")
	if err := keys.Update(context.Background(), p, func(f *keys.File) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(left); err == nil {
		t.Error("it is still there")
	}
}
