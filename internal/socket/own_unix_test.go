//go:build unix

package socket_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/socket"
	"github.com/stet-dev/stet/internal/testkit"
)

// TestCheck: a socket that is reached through a link, or is another user's, is not the
// one that a server of this user's has made.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.sock"), filepath.Join(dir, "link.sock")
	l := listen(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := socket.Check(path); err != nil {
		t.Errorf("one's own: %v", err)
	}
	for _, p := range []string{link, filepath.Join(dir, "none"), dir} {
		if err := socket.Check(p); err == nil {
			t.Errorf("%s is taken for a socket", p)
		}
		if other, err := socket.Listen(link); err == nil {
			other.Close()
			t.Error("Listen takes the place of a link")
		}
	}
	if os.Getuid() != 0 {
		testkit.LeftOut(t, "the socket of another user", "only root can give one away")
		return
	}
	if err := os.Chown(path, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	var foreign *ownfile.ForeignError
	if err := socket.Check(path); !errors.As(err, &foreign) {
		t.Errorf("another user's: %v", err)
	}
	if _, err := socket.Listen(path); !errors.As(err, &foreign) {
		t.Errorf("Listen where another user's is: %v", err)
	}
	l.Close()
}

// TestKilledListen: what a process left that was killed before its socket had its name
// goes with the next.
func TestKilledListen(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".s123")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(left, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	listen(t, filepath.Join(dir, "a.sock"))
	if _, err := os.Lstat(left); err == nil {
		t.Error("it is still there")
	}
}
