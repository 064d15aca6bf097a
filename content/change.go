package content

import (
	"slices"
	"strconv"
	"strings"
)

// A Level says how much a change of the content matters to the callers of the prompt. A
// higher Level is a larger change.
type Level uint8

// The levels; see Compare. If only the metadata of a version differs, its level is None,
// and a store that must choose a number treats it as Patch.
const (
	None  Level = iota // the contents are equal
	Patch              // only white space differs
	Minor              // text, messages, config or template differ
	Major              // callers must give another variable, or get another type
)

// String returns "none", "patch", "minor" or "major".
func (l Level) String() string {
	switch l {
	case None:
		return "none"
	case Patch:
		return "patch"
	case Minor:
		return "minor"
	case Major:
		return "major"
	}
	return "Level(" + strconv.Itoa(int(l)) + ")"
}

// A Change says how two contents differ.
type Change struct {
	Level Level
	// Reason says why it is that level, for people: "variable {{tone}} is new".
	Reason string
}

// Compare says how next differs from prev.
//
//   - Major: the type differs, or next has a variable that prev does not have. Without
//     that, losing a variable is only Minor: callers that still give it work.
//   - Minor: text, messages, config or template differ in another way.
//   - Patch: only white space differs, in the text or in the texts of the messages. They
//     are equal after the white space inside the braces of variables and at both ends is
//     removed, and every other run of white space (Unicode White_Space) is replaced by
//     one space.
//   - None: they are equal.
//
// Compared to the zero Content, any content is Major.
func Compare(prev, next Content) Change {
	a, b := prev.get(), next.get()
	switch {
	case prev.Equal(next):
		return Change{None, "the content is the same"}
	case prev.IsZero():
		return Change{Major, "there was no content before"}
	case next.IsZero():
		return Change{Major, "there is no content now"}
	case a.kind != b.kind:
		return Change{Major, "the type changed from " + a.kind + " to " + b.kind}
	}
	gained, lost := without(b.variables, a.variables), without(a.variables, b.variables)
	if len(gained) > 0 {
		reason := listNames("variable", gained, "is new", "are new")
		if len(lost) > 0 {
			reason += ", " + listNames("", lost, "is gone", "are gone")
		}
		return Change{Major, reason}
	}

	var changed []string
	spaceOnly := false
	if a.text != b.text || a.messages != b.messages {
		maybe := a.kind != TypeText || equalButSpace(a.text, b.text) // as hardly any two are
		if spaceOnly = maybe && a.collapsed() == b.collapsed(); !spaceOnly {
			if a.kind == TypeText {
				changed = append(changed, "text")
			} else {
				changed = append(changed, "messages")
			}
		}
	}
	if a.config != b.config {
		changed = append(changed, "config")
	}
	if a.template != b.template {
		changed = append(changed, "template")
	}
	if len(changed) == 0 {
		return Change{Patch, "only white space changed"}
	}
	reason := join(changed) + " changed"
	if len(lost) > 0 {
		reason += ", " + listNames("variable", lost, "is gone", "are gone")
	}
	return Change{Minor, reason}
}

// equalButSpace reports whether two texts are equal when all white space is left out. It
// looks at both up to the first word that differs.
func equalButSpace(a, b string) bool {
	for {
		a, b = a[spaceLen(a):], b[spaceLen(b):]
		n := min(wordLen(a), wordLen(b))
		if n == 0 || a[:n] != b[:n] {
			return a == b
		}
		a, b = a[n:], b[n:]
	}
}

// collapsed returns the text, or the messages, in the form in which Compare
// takes white space out of account.
func (b *body) collapsed() string {
	if b.kind == TypeText {
		return b.collapse(b.text)
	}
	dst := make([]byte, 0, len(b.messages))
	at := 0
	for _, sp := range b.spans {
		if sp.placeholder != "" {
			continue
		}
		dst = append(dst, b.messages[at:sp.from]...)
		dst = AppendQuote(dst, b.collapse(literal(b.messages[sp.from:sp.to])))
		at = sp.to
	}
	return string(append(dst, b.messages[at:]...))
}

// collapse returns s with each run of white space as one space and none at the ends.
func (b *body) collapse(s string) string {
	if b.template == TemplateBraces {
		s = replaceVariables(s, braced)
	}
	dst := make([]byte, 0, len(s))
	for {
		s = s[spaceLen(s):]
		n := wordLen(s)
		if n == 0 {
			return string(dst)
		}
		if len(dst) > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, s[:n]...)
		s = s[n:]
	}
}

// without returns the names in a that are not in b; both are sorted.
func without(a, b []string) []string {
	var only []string
	for _, name := range a {
		if _, found := slices.BinarySearch(b, name); !found {
			only = append(only, name)
		}
	}
	return only
}

// braced writes a variable in its shortest form.
func braced(name string) string { return "{{" + name + "}}" }

// listNames says "variables {{a}} and {{b}} are new", with at most five names.
func listNames(noun string, names []string, one, many string) string {
	const most = 5 // a reason is a line in a log
	verb := one
	if len(names) > 1 {
		verb = many
		if noun != "" {
			noun += "s"
		}
	}
	items := make([]string, 0, most+1)
	for _, name := range names[:min(len(names), most)] {
		items = append(items, braced(name))
	}
	if more := len(names) - most; more > 0 {
		items = append(items, strconv.Itoa(more)+" more")
	}
	return strings.TrimSpace(noun + " " + join(items) + " " + verb)
}

// join lists items as a sentence does.
func join(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
}
