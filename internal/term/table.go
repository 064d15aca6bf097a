package term

import (
	"strings"

	"github.com/rivo/uniseg"
)

// A Cell is one field of a table.
type Cell struct {
	Text  string
	Style Style
}

// maxRows is how many rows of a table are measured together before they are
// written: a long list begins to appear early, and its columns seldom move.
const maxRows = 1000

// gap is what stands between two columns on a terminal.
const gap = "  "

// A Table writes rows: in columns for a person, separated by tabs for a program.
// Each cell is made one line of visible text. The last column is cut where the
// terminal ends.
type Table struct {
	Out *Output
	// Header names the columns, for a person only. Without rows there is none.
	Header []string

	rows   [][]Cell
	headed bool
}

// Row adds a row.
func (t *Table) Row(cells ...Cell) {
	for i := range cells {
		cells[i].Text = Line(cells[i].Text)
	}
	if !t.Out.TTY {
		for i, c := range cells {
			if i > 0 {
				t.Out.WriteByte('\t')
			}
			t.Out.WriteString(c.Text)
		}
		t.Out.WriteByte('\n')
		return
	}
	if len(t.Header) > 0 && !t.headed {
		t.headed = true
		head := make([]Cell, len(t.Header))
		for i, h := range t.Header {
			head[i] = Cell{h, Dim}
		}
		t.rows = append(t.rows, head)
	}
	if t.rows = append(t.rows, cells); len(t.rows) >= maxRows {
		t.Flush()
	}
}

// Flush writes the rows that were held back to be aligned.
func (t *Table) Flush() {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(c.Text))
		}
	}
	for _, row := range t.rows {
		t.line(row, widths)
	}
	t.rows = nil
}

func (t *Table) line(row []Cell, widths []int) {
	last := len(row) - 1
	for last > 0 && row[last].Text == "" {
		last--
	}
	column := 0
	for i, c := range row[:last+1] {
		if i == last {
			if i == len(widths)-1 && t.Out.Width > 0 {
				c.Text = Cut(c.Text, max(t.Out.Width-column, minLast))
			}
			t.Out.WriteString(t.Out.Paint(c.Style, c.Text))
			break
		}
		t.Out.WriteString(t.Out.Paint(c.Style, c.Text))
		t.Out.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(c.Text)))
		t.Out.WriteString(gap)
		column += widths[i] + len(gap)
	}
	t.Out.WriteByte('\n')
}

// minLast is how much of the last column is shown even on a terminal that is
// too narrow: with less of it there would be nothing to read.
const minLast = 16

// Cut returns as much of s as fits in some columns, with … if that is not all.
func Cut(s string, columns int) string {
	if len(s) <= columns || uniseg.StringWidth(s) <= columns {
		return s
	}
	end, width := 0, 0
	for rest, state := s, -1; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width+w > columns-1 {
			break
		}
		width += w
		end += len(cluster)
	}
	return s[:end] + "…"
}
