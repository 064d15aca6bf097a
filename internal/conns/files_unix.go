//go:build unix

package conns

import "syscall"

// Files returns how many files the program may have open. Go has already raised that to
// the most that the system allows.
func Files() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || uint64(l.Cur) > plenty {
		return plenty
	}
	return int(l.Cur)
}
