package crash

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

// TestFullDisk runs stores into the end of real file systems of a few megabytes,
// mounted in a mount namespace of the child's own, so that nothing is left behind
// however it ends.
func TestFullDisk(t *testing.T) {
	rounds := 3
	switch {
	case *long:
		rounds = 40
	case raced:
		rounds = 1
	}
	seed, _ := seeded(t)
	for name, mount := range map[string]string{
		"tmpfs":               `mount --make-rprivate / && mount -t tmpfs -o size=10m stet "$0"`,
		"ext4":                `mount --make-rprivate / && truncate -s 14M "$0.img" && mkfs.ext4 -q -F -O ^has_journal "$0.img" && mount -o loop "$0.img" "$0"`,
		"ext4 with a journal": `mount --make-rprivate / && truncate -s 18M "$0.img" && mkfs.ext4 -q -F -J size=4 "$0.img" && mount -o loop "$0.img" "$0"`,
	} {
		dir := t.TempDir()
		attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			attr.Cloneflags |= syscall.CLONE_NEWUSER
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
		try := exec.CommandContext(t.Context(), "sh", "-c", mount, dir)
		try.SysProcAttr = attr
		if out, err := try.CombinedOutput(); err != nil {
			t.Logf("%s", out)
			testkit.LeftOut(t, "a full disk with "+name+", which this user may not mount here", err)
			continue
		}
		self := testkit.Child(t.Context(), t, "full")
		cmd := exec.CommandContext(t.Context(), "sh", "-c", mount+` && exec "$@"`, dir, self.Path, dir, fmt.Sprint(rounds), fmt.Sprint(seed))
		cmd.Env, cmd.SysProcAttr = self.Env, attr
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		report(t, "full disk, %s: %s", name, strings.TrimSpace(string(out)))

		self = testkit.Child(t.Context(), t, "room")
		cmd = exec.CommandContext(t.Context(), "sh", "-c", mount+` && exec "$@"`, dir, self.Path, dir, fmt.Sprint(seed))
		cmd.Env, cmd.SysProcAttr = self.Env, attr
		if out, err = cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		report(t, "deletes on a full disk, %s: %s", name, strings.TrimSpace(string(out)))
	}
}
