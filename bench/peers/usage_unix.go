//go:build unix

package peers

import (
	"syscall"
	"time"
)

// processorTime is what this process has used of the processors, in the kernel's
// work for it, too.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
