// Command peak runs a program, for go test -exec, and prints the most memory that it had: its own or that of
// a process that it started and waited for, whichever had more at its peak.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// A test that takes too long is told by a signal: it prints where it stands, and peak waits for that.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "peak:", err)
		os.Exit(1)
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	err := cmd.Wait()
	if n, ok := peakOf(cmd.ProcessState); ok {
		fmt.Printf("peak: %d MB\n", n>>20)
	} else {
		fmt.Println("*** LEFT OUT, not measured on this machine: how much memory the tests take ***")
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(max(1, exit.ExitCode())) // -1 for one that a signal ended
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peak:", err)
		os.Exit(1)
	}
}
