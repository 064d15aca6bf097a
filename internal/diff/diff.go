// Package diff shows how two texts differ: as a unified diff that patch takes, or
// coloured for a person, with the words that changed within the lines.
package diff

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/stet-dev/stet/internal/term"
	"github.com/stet-dev/stet/internal/visible"
)

// Context is how many lines are shown around a change, as in diff and git.
const Context = udiff.DefaultContextLines

// Unified returns the unified diff of two texts under the names given, "" if they
// are equal. The texts stand in it byte for byte.
func Unified(oldName, newName, before, after string) string {
	return udiff.Unified(oldName, newName, before, after)
}

// Color writes the differences of two texts for a person.
func Color(o *term.Output, oldName, newName, before, after string) error {
	d, err := udiff.ToUnifiedDiff(oldName, newName, before, udiff.Lines(before, after), Context)
	if err != nil || len(d.Hunks) == 0 {
		return err
	}
	o.WriteString(o.Paint(term.Bold, "--- "+term.Line(oldName)) + "\n")
	o.WriteString(o.Paint(term.Bold, "+++ "+term.Line(newName)) + "\n")
	for _, h := range d.Hunks {
		o.WriteString(o.Paint(term.Cyan, header(h)) + "\n")
		lines := h.Lines
		for len(lines) > 0 {
			if lines[0].Kind == udiff.Equal {
				line(o, " ", []piece{{lines[0].Content, term.Plain}})
				lines = lines[1:]
				continue
			}
			n := 0
			var removed, added strings.Builder
			for ; n < len(lines) && lines[n].Kind != udiff.Equal; n++ {
				if lines[n].Kind == udiff.Delete {
					removed.WriteString(lines[n].Content)
				} else {
					added.WriteString(lines[n].Content)
				}
			}
			block(o, removed.String(), added.String())
			lines = lines[n:]
		}
	}
	return nil
}

// block writes lines that went and those that came in their place.
func block(o *term.Output, removed, added string) {
	old, new := words(removed, added)
	for _, l := range splitLines(old) {
		line(o, "-", l)
	}
	for _, l := range splitLines(new) {
		line(o, "+", l)
	}
}

// line writes a line in pieces, the last of which ends it if it has an end.
func line(o *term.Output, mark string, pieces []piece) {
	base := map[string]term.Style{"-": term.Red, "+": term.Green}[mark]
	o.WriteString(o.Paint(base, mark))
	ended := false
	for _, p := range pieces {
		text, newline := strings.CutSuffix(p.text, "\n")
		ended = newline
		style := p.style
		if style == term.Plain {
			style = base
		}
		o.WriteString(o.Paint(style, visible.Text(text)))
	}
	o.WriteString("\n")
	if !ended {
		o.WriteString(o.Paint(term.Dim, `\ No newline at end of file`) + "\n")
	}
}
