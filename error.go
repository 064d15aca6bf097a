package stet

import (
	"errors"
	"fmt"

	"github.com/stet-dev/stet/content"
)

// A Code tells a program what kind of failure happened. The codes are part of
// the public API and of the wire format: none is ever renamed or reused.
type Code string

// The codes, with what they promise about the store.
const (
	CodeInvalid      Code = "invalid"      // the request is malformed; nothing changed
	CodeUnauthorized Code = "unauthorized" // no valid key; nothing changed
	CodeForbidden    Code = "forbidden"    // the key may not do this; nothing changed
	CodeNotFound     Code = "not_found"    // what was named is not there; nothing changed
	CodeConflict     Code = "conflict"     // the store is not as the request requires; nothing changed
	CodeTooLarge     Code = "too_large"    // over a limit; nothing changed
	CodeRateLimited  Code = "rate_limited" // too many requests; nothing changed
	CodeInternal     Code = "internal"     // stet or its storage is broken; nothing changed
	CodeUnavailable  Code = "unavailable"  // not now; nothing changed, try again
	CodeUnknown      Code = "unknown"      // the commit may or may not have been applied; send it again with the same id
)

// NoOp is the Op of an Error that no operation of a commit is to blame for.
const NoOp = -1

// An Error is what every operation of stet returns when it fails.
type Error struct {
	// Code is for programs. It is never empty.
	Code Code
	// Message is for people: what happened, what is there instead, what to
	// do next. It does not repeat the code.
	Message string
	// Op is the index, from 0, of the operation that a commit was refused
	// for, or NoOp.
	Op int
	// CommitID is the id to send a commit of unknown outcome again with.
	// It is set only when Code is Unknown.
	CommitID string
	// Err is the cause, if another package's error is behind this one.
	Err error
}

// Errorf returns an Error that blames no operation. It formats as fmt.Sprintf does.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Op: NoOp}
}

// WrapError is Errorf with a cause, which errors.Is and errors.As then find.
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

// CodeOf returns the code of the first *Error in err's chain, "" for a nil err,
// and Internal for an error that is not stet's.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}

// AsError returns the first *Error in err's chain, as a copy that the caller may change:
// others may have been given the same one. An error that is not stet's is a bug or
// broken storage, and becomes the cause of an Internal one. err is not nil.
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
