package content

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/stet-dev/stet/internal/visible"
)

// DefaultRenderLimit is the maximum size of a rendered content in bytes if Values has no
// other. It is 16 times the size of a content: enough for a few long documents as values,
// but not for one value repeated a hundred thousand times.
const DefaultRenderLimit = 16 * DefaultLimit

// Values are what Render fills in. Render does not change them.
type Values struct {
	// Variables maps each variable to its text. Names that are not variables of the
	// content are ignored, so that an application can pass the same map to every prompt.
	Variables map[string]string `json:"variables,omitempty"`
	// Placeholders maps each placeholder to a JSON list of messages, which may be empty and
	// must not contain placeholders. Other names are ignored.
	Placeholders map[string]json.RawMessage `json:"placeholders,omitempty"`
	// Limit is the most bytes that the text, or the messages as canonical
	// JSON, may have: 0 means DefaultRenderLimit, a negative number that
	// there is no limit.
	Limit int `json:"-"`
}

// A Rendered is a content with its variables and placeholders filled in. It is
// immutable, as a Content is. The zero Rendered is empty.
type Rendered struct {
	kind, text, messages, config string
}

// Type returns TypeText or TypeChat.
func (r Rendered) Type() string { return r.kind }

// Text returns the text, and "" for a chat. It may be empty.
func (r Rendered) Text() string { return r.text }

// Messages returns the list of messages as canonical JSON, and "" for a text.
// It may be "[]".
func (r Rendered) Messages() string { return r.messages }

// Config returns the content's config as canonical JSON.
func (r Rendered) Config() string { return r.config }

// AppendMembers appends r to dst as members of a JSON object, without the
// braces: "type", "text" or "messages", and "config" if it is not {}. The zero
// Rendered has no members.
func (r Rendered) AppendMembers(dst []byte) []byte {
	if r.kind == "" {
		return dst
	}
	dst = appendValue(dst, r.kind, r.text, r.messages)
	if r.config != noConfig {
		dst = append(dst, `,"config":`...)
		dst = append(dst, r.config...)
	}
	return dst
}

// Render fills the variables and placeholders of c. Nothing is escaped: a value
// stands in the result as it was given. What was filled in is not looked at for
// variables again, in messages for a placeholder neither.
//
// It is invalid if a variable or placeholder has no value, naming all that are
// missing (an empty value is one), or if a value that is used is not UTF-8, has
// U+0000, or is not a list of messages; too_large if the result is over v.Limit.
func (c Content) Render(v Values) (Rendered, error) {
	b := c.get()
	if c.b == nil {
		return Rendered{}, invalid("there is no content to render. Get a version first.")
	}
	if err := b.missing(v); err != nil {
		return Rendered{}, err
	}
	for _, name := range b.variables {
		if err := checkText("value of "+name, v.Variables[name]); err != nil {
			return Rendered{}, err
		}
	}
	limit := v.Limit
	switch {
	case limit == 0:
		limit = DefaultRenderLimit
	case limit < 0:
		limit = math.MaxInt
	}
	r := Rendered{kind: b.kind, config: b.config}
	ok := false
	if b.kind == TypeText {
		r.text, ok = b.fill(b.text, v.Variables, limit)
	} else {
		lists, err := b.lists(v.Placeholders)
		if err != nil {
			return Rendered{}, err
		}
		r.messages, ok = b.fillMessages(v.Variables, lists, limit)
	}
	if !ok {
		return Rendered{}, tooLargef("the rendered content has more than %d bytes. Give shorter values.", limit)
	}
	return r, nil
}

// missing says which variables and placeholders have no value.
func (b *body) missing(v Values) error {
	var names, lists []string
	for _, name := range b.variables {
		if _, ok := v.Variables[name]; !ok {
			names = append(names, name)
		}
	}
	for _, name := range b.placeholders {
		if !present(v.Placeholders[name]) {
			lists = append(lists, name)
		}
	}
	if names == nil && lists == nil {
		return nil
	}
	var m strings.Builder
	for _, k := range []struct {
		what  string
		names []string
		given []string
	}{
		{"variable", names, slices.Sorted(maps.Keys(v.Variables))},
		{"placeholder", lists, slices.Sorted(maps.Keys(v.Placeholders))},
	} {
		if k.names == nil {
			continue
		}
		plural := "s have"
		if len(k.names) == 1 {
			plural = " has"
		}
		m.WriteString("The " + k.what + plural + " no value: " + strings.Join(k.names, ", ") + ". ")
		if given := len(k.given); given > 0 {
			const most = 10 // enough to see a slip of the pen
			m.WriteString("Given: ")
			for i, name := range k.given[:min(given, most)] {
				if i > 0 {
					m.WriteString(", ")
				}
				m.WriteString(visible.Quote(name))
			}
			if given > most {
				m.WriteString(", …")
			}
			m.WriteString(". ")
		}
	}
	m.WriteString("Give each one a value; it may be empty.")
	return invalid("%s", m.String())
}

// lists returns, by name, the canonical messages for the placeholders.
func (b *body) lists(given map[string]json.RawMessage) (map[string]string, error) {
	lists := make(map[string]string, len(b.placeholders))
	for _, name := range b.placeholders {
		what := "The placeholder " + name
		list, err := canonicalString(what, given[name])
		if err != nil {
			return nil, err
		}
		if _, err := parseMessages(what, list, false); err != nil {
			return nil, err
		}
		lists[name] = list
	}
	return lists, nil
}

// fill returns s with its variables filled, or false if that has more than room
// bytes, which it finds out before it allocates any of them.
func (b *body) fill(s string, values map[string]string, room int) (string, bool) {
	if b.template == TemplateNone {
		return s, len(s) <= room
	}
	for rest := s; ; {
		from, to, name := nextVariable(rest)
		if name == "" {
			if len(rest) > room {
				return "", false
			}
			return replaceVariables(s, func(name string) string { return values[name] }), true
		}
		if room -= from + len(values[name]); room < 0 {
			return "", false
		}
		rest = rest[to:]
	}
}

// fillMessages returns the messages filled, or false if that has more than limit
// bytes. It never holds many more than that.
func (b *body) fillMessages(values, lists map[string]string, limit int) (string, bool) {
	dst := make([]byte, 0, len(b.messages)+len(b.messages)/4)
	at := 0
	for _, sp := range b.spans {
		dst = append(dst, b.messages[at:sp.from]...)
		at = sp.to
		if sp.placeholder == "" {
			text, ok := b.fill(literal(b.messages[sp.from:sp.to]), values, limit-len(dst))
			if !ok {
				return "", false
			}
			dst = AppendQuote(dst, text)
			continue
		}
		list := lists[sp.placeholder]
		dst = append(dst, list[1:len(list)-1]...)
		if list == "[]" { // one comma goes with the empty list
			if b.messages[at] == ',' {
				at++
			} else if dst[len(dst)-1] == ',' {
				dst = dst[:len(dst)-1]
			}
		}
		if len(dst) > limit {
			return "", false
		}
	}
	dst = append(dst, b.messages[at:]...)
	return string(dst), len(dst) <= limit
}
