package ownfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stet-dev/stet/internal/testkit"
)

func TestIsMount(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, `b \c`)
	if err := errors.Join(os.WriteFile(a, nil, 0o600), os.WriteFile(b, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	check := func(path string, want bool) {
		t.Helper()
		if is, err := IsMount(path); err != nil || is != want {
			t.Errorf("%s is a mount point: %v, %v", path, is, err)
		}
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil || mounted(string(mounts), path) != want {
			t.Errorf("%s is a mount point in mountinfo: %v, %v", path, !want, err)
		}
	}
	check(a, false)
	check(b, false)
	check("/", true)
	if err := unix.Mount(a, b, "", unix.MS_BIND, ""); err != nil {
		testkit.LeftOut(t, "a file that is a mount point", err)
		return
	}
	defer unix.Unmount(b, 0)
	check(a, false)
	check(b, true)
}
