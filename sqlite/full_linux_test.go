package sqlite_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

// TestFullDisk runs a store into the end of a real file system of a few
// megabytes: tmpfs, mounted in a mount namespace of the child's own, so that
// nothing is left behind however it ends. Whoever is not root gets a user
// namespace as well, where the machine allows it.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	mount := `mount --make-rprivate / && mount -t tmpfs -o size=8m stet "$0"`
	try := exec.CommandContext(t.Context(), "sh", "-c", mount, dir)
	try.SysProcAttr = attr
	if out, err := try.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		testkit.LeftOut(t, "a full disk on a small file system, for which this user may not mount one", err)
		return
	}
	self := testkit.Child(t.Context(), t, "full disk", dir)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", mount+` && exec "$1" "$0"`, dir, self.Path)
	cmd.Env, cmd.SysProcAttr = self.Env, attr
	out, err := cmd.CombinedOutput()
	t.Logf("%s", strings.TrimSpace(string(out)))
	if err != nil {
		t.Error(err)
	}
}
