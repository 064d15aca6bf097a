//go:build !linux

package crash

import (
	"runtime"
	"testing"
)

func TestFullDisk(t *testing.T) {
	leftOut(t, "a full disk on a small file system", "made for Linux, this is "+runtime.GOOS)
}
