package core

import (
	"errors"
	"fmt"
	"time"

	"github.com/stet-dev/stet"
)

// ownError returns a copy of an error that others may have got as well.
func ownError(err error) error {
	if err == nil {
		return nil
	}
	return stet.AsError(err)
}

// atOp returns a copy of an error that blames an operation, or a reference of a read.
func atOp(err error, op int) error {
	e := stet.AsError(err)
	e.Op = op
	return e
}

// asUnavailable says that something could not be read and that nothing changed.
func asUnavailable(err error, what string, args ...any) error {
	return stet.WrapError(err, stet.CodeUnavailable, "%s could not be read: %s Nothing changed. Try again.", fmt.Sprintf(what, args...), stet.AsError(err).Message)
}

func errClosed() error {
	return stet.Errorf(stet.CodeUnavailable, "the store is closed. Nothing changed. Open it again.")
}

// whyUnread returns the answer to a failed read that says nothing about what is stored:
// the store was closed meanwhile, or the engine says that it cannot read now. It returns
// nil for other errors.
func (c *core) whyUnread(err error) error {
	var e *stet.Error
	switch {
	case c.ctx.Err() != nil:
		return errClosed()
	case errors.As(err, &e) && e.Code == stet.CodeUnavailable:
		return ownError(e)
	}
	return nil
}

// unread returns whyUnread or, for other errors, one with the code that says that what
// was asked for could not be read.
func (c *core) unread(err error, code stet.Code, what string, args ...any) error {
	if why := c.whyUnread(err); why != nil {
		return why
	}
	return stet.WrapError(err, code, "%s could not be read: %v.", fmt.Sprintf(what, args...), err)
}

// refuseClosed is an error if the store is closed. A read calls it that has found
// nothing: a store is empty once it is closed.
func (c *core) refuseClosed() error {
	if c.ctx.Err() != nil {
		return errClosed()
	}
	return nil
}

// ago says how long ago something was, as a person would.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "by a clock ahead of this one"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}
