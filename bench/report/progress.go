package report

import (
	"fmt"

	"github.com/stet-dev/stet/internal/term"
)

// A Progress is one line on a terminal that is written over and over. On something
// that is no terminal it shows nothing.
type Progress struct{ To *term.Output }

// Show replaces what is shown. It formats as fmt.Sprintf does.
func (p Progress) Show(format string, args ...any) {
	p.put(term.Cut(term.Line(fmt.Sprintf(format, args...)), max(p.To.Width-1, 40)))
}

// Clear removes the line.
func (p Progress) Clear() { p.put("") }

func (p Progress) put(line string) {
	if p.To.TTY {
		p.To.WriteString("\r\x1b[K" + line)
		p.To.Flush()
	}
}
