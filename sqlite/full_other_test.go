//go:build !linux

package sqlite_test

import (
	"errors"
	"runtime"
	"testing"
)

func TestFullDisk(t *testing.T) {
	leftOut(t, "a full disk on a small file system", errors.New("made for Linux, this is "+runtime.GOOS))
}
