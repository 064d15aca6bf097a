package socket_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet/internal/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T, path string) *socket.Listener {
	t.Helper()
	l, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// answers reports whether somebody listens.
func answers(t *testing.T, l net.Listener, path string) bool {
	t.Helper()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "here")
			c.Close()
		}
	}()
	defer func() { l.Close(); <-served }()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Log(err)
		return false
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	return err == nil && string(b) == "here"
}

func TestListen(t *testing.T) {
	if runtime.GOOS == "windows" {
		if _, err := socket.Listen("x"); !errors.Is(err, socket.ErrUnsupported) {
			t.Errorf("Listen on Windows: %v", err)
		}
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sock")
	l := listen(t, path)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	if !answers(t, l, path) {
		t.Error("nobody answers at the socket")
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket stays after Close")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestListenReplacesADeadSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if !answers(t, listen(t, path), path) {
		t.Error("nobody answers at the socket that replaced another")
	}
}

func TestCloseLeavesAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	first, second := listen(t, path), listen(t, path)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if !answers(t, second, path) {
		t.Error("the first listener took the second one's socket away")
	}
}

func TestListenLeavesFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Listen(path); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("Listen where a file is: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("the file: %q, %v", b, err)
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := socket.Listen(filepath.Join(dir, "a.sock"))
	var long *socket.TooLongError
	if !errors.As(err, &long) || long.Max < 100 {
		t.Errorf("a path of over 120 bytes: %v", err)
	}
}
