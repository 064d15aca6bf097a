package main

import (
	"errors"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

// The exit codes. Scripts rely on them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2 // also everything invalid, even if the store found it
	exitNotFound = 3
	exitConflict = 4
	exitUnknown  = 5
)

// errReported ends a command with the exit code 1 and no further message: it has
// printed what went wrong.
var errReported = errors.New("reported already")

// report prints an error and returns its exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errReported) {
		return exitFailed
	}
	var e *stet.Error
	if !errors.As(err, &e) {
		a.complain(err.Error())
		return exitFailed
	}
	a.complain(string(e.Code) + ": " + e.Message)
	switch e.Code {
	case stet.CodeInvalid:
		return exitUsage
	case stet.CodeNotFound:
		return exitNotFound
	case stet.CodeConflict:
		return exitConflict
	case stet.CodeUnknown:
		if e.CommitID != "" {
			a.say("To send it again: the same command with --commit-id " + e.CommitID)
		}
		return exitUnknown
	}
	return exitFailed
}

// complain prints an error on one line, without control characters.
func (a *app) complain(message string) {
	a.out.Flush() // what was printed before it comes before it
	kind, rest, ok := strings.Cut(term.Line(message), ": ")
	if !ok {
		kind, rest = rest, kind
	} else {
		kind = a.errs.Paint(term.Red, kind+":") + " "
	}
	a.errs.WriteString(a.errs.Paint(term.BoldRed, "stet:") + " " + kind + rest + "\n")
	a.errs.Flush()
}

// say prints a message that is not a result.
func (a *app) say(message string) {
	a.out.Flush()
	a.errs.WriteString(term.Line(message) + "\n")
	a.errs.Flush()
}
