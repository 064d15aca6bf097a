package stet

import (
	"errors"
	"fmt"

	"github.com/stet-dev/stet/content"
)

// A Code is the kind of a failure, for programs. The codes are part of the public API
// and of the wire format: none is ever renamed or reused.
type Code string

// The codes, and whether the store has changed.
const (
	CodeInvalid      Code = "invalid"      // the request is malformed; nothing changed
	CodeUnauthorized Code = "unauthorized" // no valid key; nothing changed
	CodeForbidden    Code = "forbidden"    // the key may not do this; nothing changed
	CodeNotFound     Code = "not_found"    // what the request names does not exist; nothing changed
	CodeConflict     Code = "conflict"     // the store is not in the state that the request requires; nothing changed
	CodeTooLarge     Code = "too_large"    // over a limit; nothing changed
	CodeRateLimited  Code = "rate_limited" // too many requests; nothing changed
	CodeInternal     Code = "internal"     // stet or its storage is broken; nothing changed
	CodeUnavailable  Code = "unavailable"  // not now; nothing changed, try again
	CodeUnknown      Code = "unknown"      // the commit may or may not have been applied; send it again with the same id
)

// NoOp is the Op of an Error that is not about an operation of a commit.
const NoOp = -1

// An Error is the error that every operation of stet returns when it fails.
type Error struct {
	// Code is for programs. It is never empty.
	Code Code
	// Message is for people: what happened, what there is instead, what to do next. It
	// does not repeat the code.
	Message string
	// Op is the index, from 0, of the operation of a commit, or of the reference of
	// GetMany, that failed; NoOp if there is none.
	Op int
	// CommitID is the id of a commit whose outcome is unknown, to send it again with. It
	// is set only if Code is CodeUnknown.
	CommitID string
	// Err is the error of another package that caused this one, or nil.
	Err error
}

// Errorf returns an Error with a message that is formatted as by fmt.Sprintf, and with
// Op NoOp.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Op: NoOp}
}

// WrapError is Errorf with err as the cause, for errors.Is and errors.As.
func WrapError(err error, code Code, format string, args ...any) *Error {
	e := Errorf(code, format, args...)
	e.Err = err
	return e
}

// Error returns the code, the index of the operation where there is one, and
// the message.
func (e *Error) Error() string {
	if e.Op > NoOp {
		return fmt.Sprintf("%s: operation %d: %s", e.Code, e.Op, e.Message)
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first *Error in err's chain, "" for a nil err, and
// CodeInternal if there is none. An error of package content counts as AsError says.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}

// AsError returns a copy of the first *Error in err's chain, which the caller may change.
// A [content.Error] becomes an error with the code CodeTooLarge or CodeInvalid. Any other
// error is a bug or broken storage, and becomes the cause of one with CodeInternal. err
// must not be nil.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		c := *e
		return &c
	}
	var c *content.Error
	if errors.As(err, &c) {
		if c.TooLarge {
			return WrapError(err, CodeTooLarge, "%s", c.Message)
		}
		return WrapError(err, CodeInvalid, "%s", c.Message)
	}
	return WrapError(err, CodeInternal, "%v.", err)
}
