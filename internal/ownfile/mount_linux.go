package ownfile

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// IsMount reports whether a path is a mount point. A file that is one has another name
// elsewhere.
func IsMount(path string) (bool, error) {
	var s unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, 0, &s)
	switch {
	case err == nil && s.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0:
		return s.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
	case err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM):
		return false, err
	}
	// A kernel before 5.8, or a sandbox without statx.
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, nil // nothing says so
	}
	return mounted(string(mounts), path), nil
}

// mounted looks for a mount point in the text of /proc/self/mountinfo.
func mounted(mountinfo, path string) bool {
	// Its fields are separated by spaces. Spaces and backslashes in a field are in octal.
	path = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(path)
	for line := range strings.Lines(mountinfo) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == path {
			return true
		}
	}
	return false
}
