package diff

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
	"github.com/aymanbagabas/go-udiff/lcs"

	"github.com/stet-dev/stet/internal/term"
)

// A piece is a part of a text in one style; Plain is the style of its line.
type piece struct {
	text  string
	style term.Style
}

// maxTokens bounds the words that are compared one by one: beyond it nobody
// looks for single words, and comparing takes long.
const maxTokens = 20_000

// words splits two texts, one of which took the other's place, into what they
// share and what is in one of them only. Texts that share little are not split:
// that would be a patchwork and no help.
func words(before, after string) (old, new []piece) {
	old, new = []piece{{before, term.Plain}}, []piece{{after, term.Plain}}
	a, b := tokens(before), tokens(after)
	if len(a) == 0 || len(b) == 0 || len(a)+len(b) > maxTokens {
		return old, new
	}
	var o, n []piece
	same, i := 0, 0
	keep := func(count int) {
		shared := strings.Join(a[i:i+count], "")
		same += len(shared) - strings.Count(shared, " ")
		o, n = append(o, piece{shared, term.Plain}), append(n, piece{shared, term.Plain})
	}
	for _, d := range lcs.DiffLines(a, b) {
		keep(d.Start - i)
		o = append(o, piece{strings.Join(a[d.Start:d.End], ""), term.Removed})
		n = append(n, piece{strings.Join(b[d.ReplStart:d.ReplEnd], ""), term.Added})
		i = d.End
	}
	keep(len(a) - i)
	if 2*same < min(len(before), len(after)) {
		return old, new
	}
	return o, n
}

// tokens splits a text into words, runs of blanks, newlines, and single other
// characters.
func tokens(s string) []string {
	var list []string
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if k := kind(r); k != other {
			for n < len(s) {
				r, size := utf8.DecodeRuneInString(s[n:])
				if kind(r) != k {
					break
				}
				n += size
			}
		}
		list, s = append(list, s[:n]), s[n:]
	}
	return list
}

const (
	other = iota
	word
	blank
)

func kind(r rune) int {
	switch {
	case r == '_' || unicode.In(r, unicode.L, unicode.N, unicode.M) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return word
	case r == ' ' || r == '\t':
		return blank
	}
	return other
}

// splitLines cuts a list of pieces after each newline.
func splitLines(pieces []piece) [][]piece {
	var lines [][]piece
	var current []piece
	for _, p := range pieces {
		for part := range strings.Lines(p.text) {
			current = append(current, piece{part, p.style})
			if strings.HasSuffix(part, "\n") {
				lines, current = append(lines, current), nil
			}
		}
	}
	if len(current) > 0 {
		lines = append(lines, current)
	}
	return lines
}

// header is the line that says which lines a hunk shows.
func header(h *udiff.Hunk) string {
	from, to := 0, 0
	for _, l := range h.Lines {
		switch l.Kind {
		case udiff.Delete:
			from++
		case udiff.Insert:
			to++
		default:
			from, to = from+1, to+1
		}
	}
	return fmt.Sprintf("@@ -%d,%d +%d,%d @@", h.FromLine, from, h.ToLine, to)
}
