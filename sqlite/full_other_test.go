//go:build !linux

package sqlite_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

func TestFullDisk(t *testing.T) {
	testkit.LeftOut(t, "a full disk on a small file system", errors.New("made for Linux, this is "+runtime.GOOS))
}
