//go:build unix

package ownfile

import (
	"io/fs"
	"os"
	"syscall"
)

// unfollowed are the flags of an open that follows no link and does not wait for the other
// end of a pipe.
const unfollowed = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func owner(info fs.FileInfo) (uid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

func made(info fs.FileInfo) bool {
	uid, ok := owner(info)
	return ok && uid == os.Geteuid()
}

func mine(info fs.FileInfo) bool {
	uid, ok := owner(info)
	return ok && (uid == os.Geteuid() || uid == 0)
}

func sameOwner(a, b fs.FileInfo) bool {
	x, ok := owner(a)
	y, too := owner(b)
	return ok && too && x == y
}

// Links returns how many names a file has.
func Links(path string) (uint64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 1, nil
	}
	return uint64(s.Nlink), nil
}
