// Command stet saves, compares, labels and rolls back versions of prompts.
//
//	stet save support/triage -f triage.txt -m "Ask for the order number"
//	stet label support/triage production 1.3.0
//	stet get support/triage@production
//	stet rollback support/triage
//
// Results go to standard output, messages to standard error. Run stet --help, or
// stet VERB --help for examples.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		first := time.Now()
		cancel()
		for s := range signals {
			if time.Since(first) >= oneSignal {
				os.Exit(signaled(s))
			}
		}
	}()
	os.Exit(run(ctx, os.Args[1:]))
}

// oneSignal is for how long signals count as the first one, which lets a command end in
// order: shells, timeout and other wrappers send one to a process and another to its
// group. A later signal ends the program at once.
const oneSignal = 300 * time.Millisecond

// signaled is the exit code after a signal, as shells have it.
func signaled(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitFailed
}
