package policy

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxColumns is how wide a line of prose is at most, a tab being four columns: what two windows side by side
// show without breaking it.
const MaxColumns = 119

// marker is what may stand before the prose of a line: the marker of a comment, of a list, of a quotation.
var marker = regexp.MustCompile(`^\s*(?://\s*)?(?:(?:[-*+>]|\d+\.)\s+)*`)

// CheckColumns returns the lines of prose that are too wide: those of Markdown, and those of comments that
// stand alone in a Go file, of every module in the tree. Tables, code and what cannot be broken are left out.
func CheckColumns(tree fs.FS) ([]Violation, error) {
	var found []Violation
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && skipDir(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		var prose func(text string, yield func(n int, line string))
		switch {
		case strings.HasSuffix(p, ".go"):
			prose = comments
		case strings.HasSuffix(p, ".md"):
			prose = paragraphs
		default:
			return nil
		}
		text, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		prose(string(text), func(n int, line string) {
			wide := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if wide > MaxColumns && len(strings.Fields(marker.ReplaceAllString(line, ""))) > 1 {
				what := fmt.Sprintf("the line has %d columns; %d is the most", wide, MaxColumns)
				found = append(found, Violation{Rule: "lines of prose are short", Path: p, Line: n, What: what})
			}
		})
		return nil
	})
	return found, err
}

// comments yields the lines of a Go file that are nothing but comment, up to what an example prints. Code in a
// comment is indented, and a directive has no space.
func comments(text string, yield func(n int, line string)) {
	n, printed := 0, false
	for line := range strings.Lines(text) {
		n++
		said, ok := strings.CutPrefix(strings.TrimSpace(line), "// ")
		printed = ok && (printed || said == "Output:")
		if ok && !printed && !strings.HasPrefix(said, " ") {
			yield(n, strings.TrimRight(line, "\n"))
		}
	}
}

// paragraphs yields the lines of a Markdown file that are neither in a block of code nor in a table.
func paragraphs(text string, yield func(n int, line string)) {
	n, code := 0, false
	for line := range strings.Lines(text) {
		n++
		switch start := strings.TrimSpace(line); {
		case strings.HasPrefix(start, "```"):
			code = !code
		case !code && !strings.HasPrefix(start, "|"):
			yield(n, strings.TrimRight(line, "\n"))
		}
	}
}
