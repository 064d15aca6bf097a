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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:]))
}
