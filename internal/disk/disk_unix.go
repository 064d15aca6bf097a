//go:build unix

// Package disk knows the errors by which a system says that nothing can be written.
package disk

import (
	"errors"
	"syscall"
)

// IsFull tells whether an error says that there is no room.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// IsReadOnly tells whether an error says that the file system cannot be written to.
func IsReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
