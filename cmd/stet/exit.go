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
	exitUsage    = 2 // also whatever is invalid, whoever finds it
	exitNotFound = 3
	exitConflict = 4
	exitUnknown  = 5
)

// errSaid ends a command with the exit code 1 and no message: what it has to say
// is printed already.
var errSaid = errors.New("said already")

// report prints an error and returns the exit code that belongs to it.
func (a *app) report(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errSaid) {
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

// complain prints an error: one line, with nothing in it that a terminal obeys.
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
