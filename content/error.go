package content

import "fmt"

// An Error is the type of every error of this package. Package stet turns it into a
// stet.Error with the code too_large or invalid.
type Error struct {
	// TooLarge says that a limit is exceeded. Otherwise something is malformed.
	TooLarge bool
	// Message is for people: what is wrong, and what to do.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func invalid(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

func tooLargef(format string, args ...any) error {
	return &Error{TooLarge: true, Message: fmt.Sprintf(format, args...)}
}
