//go:build unix

package keys

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign reports whether users other than the owner can write to a file.
func foreign(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// readable reports whether users other than the owner can read it.
func readable(info fs.FileInfo) bool { return info.Mode().Perm()&0o044 != 0 }

// keepOwner gives f the owner of the file that it will replace.
func keepOwner(f *os.File, old fs.FileInfo) error {
	s, ok := old.Sys().(*syscall.Stat_t)
	if !ok || int(s.Uid) == os.Geteuid() {
		return nil
	}
	return f.Chown(int(s.Uid), int(s.Gid))
}
