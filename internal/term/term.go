// Package term writes results for whoever reads them: coloured and aligned, with
// everything made visible, for a person at a terminal; plain and stable for a
// program at the other end of a pipe.
package term

import (
	"bufio"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/stet-dev/stet/internal/visible"
)

// An Output is a stream to write to, and what is known of who reads it. What is
// written is buffered until Flush.
type Output struct {
	*bufio.Writer
	// TTY reports whether a person reads it, at a terminal.
	TTY bool
	// Color reports whether styles are written; they are nothing otherwise.
	Color bool
	// Width is the number of columns of the terminal, 0 if it is not known.
	Width int
}

// New returns the output to f, with styles if it is a terminal and they are wanted.
func New(f *os.File, color bool) *Output {
	o := &Output{Writer: bufio.NewWriter(f), TTY: IsTerminal(f)}
	o.Color = o.TTY && color
	if o.TTY {
		o.Width, _, _ = term.GetSize(int(f.Fd()))
	}
	return o
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// A Style is how a piece of text looks on a terminal with colours: the
// parameters of the SGR escape sequence.
type Style string

// The styles. They are of the 16 colours that every terminal has and lets its
// user choose.
const (
	Plain   Style = ""
	Bold    Style = "1"
	Dim     Style = "2"
	Red     Style = "31"
	Green   Style = "32"
	Yellow  Style = "33"
	Cyan    Style = "36"
	BoldRed Style = "1;31"
	Removed Style = "31;7" // reversed: seen with any palette, and by the colour-blind
	Added   Style = "32;7"
)

// Paint returns s in a style, or s itself where there are none.
func (o *Output) Paint(style Style, s string) string {
	if !o.Color || style == Plain || s == "" {
		return s
	}
	return "\x1b[" + string(style) + "m" + s + "\x1b[0m"
}

// Text writes a text: byte for byte for a program; for a person with whatever
// cannot be seen made visible, and with a newline at its end.
func (o *Output) Text(s string) error {
	if o.TTY {
		s = visible.Text(s)
		if !strings.HasSuffix(s, "\n") {
			s += "\n"
		}
	}
	_, err := io.WriteString(o, s)
	return err
}

// Line returns s on one line, with whatever cannot be seen made visible.
func Line(s string) string {
	if strings.ContainsAny(s, "\n\t") {
		s = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s)
	}
	return visible.Text(s)
}
