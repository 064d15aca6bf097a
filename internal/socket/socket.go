// Package socket listens on a private socket: a file of type socket that only its
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

// ErrUnsupported is the error of Listen where a file's mode does not keep others
// from a socket.
var ErrUnsupported = errors.New("there are no private sockets on this system")

// A TooLongError says that a path does not fit into the address of a socket.
type TooLongError struct {
	Path string
	Max  int // bytes
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("the path %s of a socket has %d bytes; %d is the most", e.Path, len(e.Path), e.Max)
}

// maxPath is how long a path the address of a socket has room for, in bytes.
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

// Listen makes the socket. The caller is the only process that may do so now, by a
// lock of its own: a socket that is there is a dead process's and is replaced. A
// file of another type is left alone, and is an error.
//
// Nobody else can connect, not for an instant: the socket is made with mode 0600
// in a directory that nobody else can enter, and then moved to its place.
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
	l.SetUnlinkOnClose(false) // it will have another name
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

// Check returns an error if what is at path is not a socket, as Listen makes one, that
// belongs to this user, to root, or to the owner of its directory: nobody else's is
// spoken to. A link is not followed.
func Check(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and is not a socket", path)
	}
	return ownfile.CheckOwner(path, info)
}

// Close stops listening and removes the socket, unless it is another one by now.
func (l *Listener) Close() error {
	if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.made) {
		_ = os.Remove(l.path) // who connects to a dead socket is told so, too
	}
	return l.UnixListener.Close()
}
