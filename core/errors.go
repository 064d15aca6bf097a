package core

import (
	"fmt"
	"time"

	"github.com/stet-dev/stet/fault"
)

// ownError returns a copy of an error that others may have got as well.
func ownError(err error) error {
	if err == nil {
		return nil
	}
	return fault.From(err)
}

// asUnavailable says that something could not be read and that nothing changed.
func asUnavailable(err error, what string, args ...any) error {
	return fault.Wrap(err, fault.Unavailable, "%s could not be read: %s Nothing changed. Try again.", fmt.Sprintf(what, args...), fault.From(err).Message)
}

func errClosed() error {
	return fault.New(fault.Unavailable, "the store is closed. Nothing changed. Open it again.")
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
