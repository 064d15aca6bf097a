//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakOf returns the most bytes of memory that a process had, or one of its children that it waited for.
func peakOf(p *os.ProcessState) (int64, bool) {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	if n := int64(usage.Maxrss); runtime.GOOS == "darwin" {
		return n, true // in bytes there, in KiB everywhere else
	} else {
		return n << 10, true
	}
}
