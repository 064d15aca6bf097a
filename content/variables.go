package content

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the maximum length of the name of a variable or placeholder in bytes. No
// person types a longer one; in a text, longer names in braces are not variables.
const MaxName = 128

// nameRule is nameRunes for people.
const nameRule = "A name begins with a letter or _, goes on with letters, digits, _, - and ., and has at most 128 bytes."

// isName reports whether s is a name: a letter of any script or "_", then
// letters, marks, decimal digits, "_", "-" and ".", at most MaxName bytes.
// Names are compared byte for byte.
func isName(s string) bool { return s != "" && nameLen(s) == len(s) }

// nameLen returns the length of the name that s begins with, or 0 if there is
// none or it is longer than MaxName.
func nameLen(s string) int {
	i := 0
	for i < len(s) && i <= MaxName {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_' ||
			r >= utf8.RuneSelf && (unicode.IsLetter(r) || i > 0 && (unicode.IsMark(r) || unicode.Is(unicode.Nd, r)))
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			break
		}
		i += n
	}
	if i > MaxName {
		return 0
	}
	return i
}

// spaceLen returns the length of the white space (Unicode White_Space) that s
// begins with.
func spaceLen(s string) int { return runLen(s, true) }

// wordLen returns the length of what s begins with that is not white space.
func wordLen(s string) int { return runLen(s, false) }

// runLen returns the length of the run of white space, or of what is not, that
// s begins with.
func runLen(s string, space bool) int {
	for i := 0; i < len(s); {
		c, n := s[i], 1
		is := c == ' ' || '\t' <= c && c <= '\r'
		if c >= utf8.RuneSelf {
			var r rune
			r, n = utf8.DecodeRuneInString(s[i:])
			is = unicode.IsSpace(r)
		}
		if is != space {
			return i
		}
		i += n
	}
	return len(s)
}

// nextVariable finds the first variable in s: two braces, white space or none,
// a name, white space or none, two braces. s[from:to] is all of it. If there is
// none, name is "". It takes time in proportion to to, or to the length of s.
//
// "{{{name}}}" is a variable in braces. What only looks like a variable is
// literal: "{{}}", "{{1}}", "{{two words}}", "{{#if x}}", "{{ name }".
func nextVariable(s string) (from, to int, name string) {
	for i := 0; ; i++ {
		j := strings.Index(s[i:], "{{")
		if j < 0 {
			return 0, 0, ""
		}
		i += j
		at := i + 2
		at += spaceLen(s[at:])
		n := nameLen(s[at:])
		end := at + n
		end += spaceLen(s[end:])
		if n > 0 && strings.HasPrefix(s[end:], "}}") {
			return i, end + 2, s[at : at+n]
		}
	}
}

// replaceVariables returns s with value(name) in the place of each variable;
// what it put there is not looked at again.
func replaceVariables(s string, value func(name string) string) string {
	from, to, name := nextVariable(s)
	if name == "" {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for name != "" {
		out.WriteString(s[:from])
		out.WriteString(value(name))
		s = s[to:]
		from, to, name = nextVariable(s)
	}
	out.WriteString(s)
	return out.String()
}

// texts calls yield for the text, or for each text in the messages in order.
func (b *body) texts(yield func(string) bool) {
	if b.kind == TypeText {
		yield(b.text)
		return
	}
	for _, sp := range b.spans {
		if sp.placeholder == "" && !yield(literal(b.messages[sp.from:sp.to])) {
			return
		}
	}
}

// index sets variables and placeholders.
func (b *body) index() {
	if b.template == TemplateBraces {
		for s := range b.texts {
			for {
				_, to, name := nextVariable(s)
				if name == "" {
					break
				}
				b.variables = append(b.variables, name)
				s = s[to:]
			}
		}
		b.variables = set(b.variables)
	}
	for _, sp := range b.spans {
		if sp.placeholder != "" {
			b.placeholders = append(b.placeholders, sp.placeholder)
		}
	}
	b.placeholders = set(b.placeholders)
}

// set sorts names and keeps each once. It does not keep the memory of a list in
// which one name stands very often.
func set(names []string) []string {
	slices.Sort(names)
	once := slices.Compact(names)
	if len(once) < len(names) {
		return slices.Clone(once)
	}
	return once
}
