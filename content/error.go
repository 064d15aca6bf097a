package content

import "fmt"

// An Error says what is wrong with what a Content, a digest or a rendering was to
// be made of. It is the type of every error of this package.
type Error struct {
	// TooLarge tells that it is over a limit; otherwise it is malformed.
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
