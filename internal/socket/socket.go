// Package socket listens on a private socket: a Unix socket in the file system that only its
// owner can connect to.
package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/stet-dev/stet/internal/ownfile"
	"github.com/stet-dev/stet/internal/temp"
)

// ErrUnsupported is the error of Listen on systems where the mode of a socket does not keep
// others from connecting.
var ErrUnsupported = errors.New("there are no private sockets on this system")

// A TooLongError says that a path is too long for the address of a socket.
type TooLongError struct {
	Path string
	Max  int // bytes
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("the socket path %s has %d bytes; the limit is %d", e.Path, len(e.Path), e.Max)
}

// maxPath is the most bytes of a path in the address of a socket.
func maxPath() int {
	if runtime.GOOS == "linux" {
		return 107 // sun_path, less its terminating zero
	}
	return 103 // the BSDs and macOS
}

// A Listener listens on a private socket.
type Listener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
}

// Listen creates the socket at path and listens on it. The caller holds a lock, so that no
// other process does so now: a socket that is there belongs to a process that has ended,
// and is replaced. For a file of another type Listen fails and does not change it.
//
// No other user can connect at any time: the socket gets its mode 0600 in a directory that
// no other user can enter, and is then renamed to path.
func Listen(path string) (*Listener, error) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return nil, ErrUnsupported
	}
	if len(path) > maxPath() {
		return nil, &TooLongError{path, maxPath()}
	}
	if _, err := os.Lstat(path); err == nil {
		if err := Check(path); err != nil {
			return nil, err
		}
	}
	dir, err := temp.Mkdir(context.Background(), filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer dir.Remove()
	made := dir.Path("s")
	if len(made) > maxPath() {
		return nil, &TooLongError{made, maxPath()}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it is renamed
	err = os.Chmod(made, 0o600)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Listener{l, path, info}, nil
}

// Check returns an error if path is not a socket that belongs to this user, to root, or to
// the owner of its directory: no other socket may be used. A symbolic link is not followed.
func Check(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is not a socket", path)
	}
	return ownfile.CheckOwner(path, info)
}

// Close stops listening and removes the socket, unless another has replaced it.
func (l *Listener) Close() error {
	if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.made) {
		_ = os.Remove(l.path) // a socket that stays refuses connections
	}
	return l.UnixListener.Close()
}
