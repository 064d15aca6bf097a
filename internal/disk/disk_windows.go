// Package disk recognizes the errors of a full disk and of a read-only file system.
package disk

import (
	"errors"

	"golang.org/x/sys/windows"
)

// IsFull reports whether an error says that the disk is full.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// IsReadOnly reports whether an error says that the file system is read-only.
func IsReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
