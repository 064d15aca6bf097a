package main

import (
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
)

// A progress is one line on a terminal that is written over and over. The zero
// value, and one for something that is no terminal, show nothing.
type progress struct{ to *os.File }

func newProgress(f *os.File) *progress {
	if isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()) {
		return &progress{to: f}
	}
	return &progress{}
}

// line replaces what is shown. It formats as fmt.Sprintf does.
func (p *progress) line(format string, args ...any) {
	if p.to != nil {
		fmt.Fprintf(p.to, "\r\x1b[K"+format, args...)
	}
}

// clear removes the line.
func (p *progress) clear() { p.line("") }
