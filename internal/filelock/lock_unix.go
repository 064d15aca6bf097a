//go:build unix

package filelock

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock locks with flock. Unlike a record lock, that lock belongs to the open file: another
// open file of the same process does not get it, and closing another descriptor of the file
// does not release it.
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
