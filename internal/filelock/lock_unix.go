//go:build unix

package filelock

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes flock's lock: unlike a record lock it belongs to the open file,
// so that a second opener in the same process does not get it, and closing
// another descriptor of the file does not drop it.
func tryLock(f *os.File) error {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return errHeld
		default:
			return err
		}
	}
}
