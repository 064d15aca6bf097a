//go:build unix

// Package disk recognizes the errors of a full disk and of a read-only file system.
package disk

import (
	"errors"
	"syscall"
)

// IsFull reports whether an error says that the disk is full.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// IsReadOnly reports whether an error says that the file system is read-only.
func IsReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
