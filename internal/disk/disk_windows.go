// Package disk knows the errors by which a system says that nothing can be written.
package disk

import (
	"errors"

	"golang.org/x/sys/windows"
)

// IsFull tells whether an error says that there is no room.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// IsReadOnly tells whether an error says that the file system cannot be written to.
func IsReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
