//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// asNobody is main as a user whom modes keep out, as they do not keep root.
func asNobody() {
	const nobody = 65534
	if os.Getuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(100)
		}
	}
	main()
}
