//go:build !linux

package crash

import (
	"runtime"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

func TestFullDisk(t *testing.T) {
	testkit.LeftOut(t, "a full disk on a small file system", "made for Linux, this is "+runtime.GOOS)
}
