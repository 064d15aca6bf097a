package content

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A span is a place in canonical messages that rendering may fill: the literal
// of a text, quotation marks included, or a whole placeholder message.
type span struct {
	from, to    int
	placeholder string // "" for a text
}

// literal returns the string that a canonical JSON string literal stands for.
func literal(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	b, _ := jsontext.AppendUnquote(nil, quoted) // cannot fail: the literal is canonical
	return string(b)
}

// parseMessages checks the shape of canonical messages and returns their spans
// in order. what is the name of the list in errors.
func parseMessages(what, canonical string, placeholders bool) ([]span, error) {
	if canonical[0] != '[' {
		return nil, invalid("%s is %s; it must be a list of messages, such as [{\"role\":\"user\",\"content\":\"Hello\"}].", what, describe(canonical))
	}
	p := parser{what: what, placeholders: placeholders, c: cursor{s: canonical}}
	for i := 0; p.c.next(i == 0); i++ {
		if err := p.message(i); err != nil {
			return nil, err
		}
	}
	return p.spans, nil
}

type parser struct {
	what         string
	placeholders bool
	c            cursor
	spans        []span
}

// message reads the message with index i, at which the cursor stands.
func (p *parser) message(i int) error {
	from, texts := p.c.i, len(p.spans)
	if p.c.s[from] != '{' {
		return p.refuse(i, "is "+describe(p.c.s[from:]))
	}
	var role, name, content, kind string
	for first := true; p.c.next(first); first = false {
		switch p.c.key() {
		case "content":
			at := p.c.i
			if err := p.content(i); err != nil {
				return err
			}
			content = p.c.s[at:p.c.i]
		case "name":
			name = p.c.value()
		case "role":
			role = p.c.value()
		case "type":
			kind = p.c.value()
		default:
			p.c.value()
		}
	}
	if kind == `"placeholder"` {
		switch {
		case !p.placeholders:
			return invalid("%s[%d] is a placeholder itself. Fill a placeholder with messages that have a role and a content.", p.what, i)
		case role != "" || content != "":
			return invalid("%s[%d] is a placeholder and has a role or content too. A placeholder is {\"type\":\"placeholder\",\"name\":\"history\"}.", p.what, i)
		case name == "" || name[0] != '"' || !isName(literal(name)):
			return invalid("%s[%d] is a placeholder without a valid name. %s", p.what, i, nameRule)
		}
		p.spans = append(p.spans[:texts], span{from: from, to: p.c.i, placeholder: literal(name)})
		return nil
	}
	switch {
	case role == "":
		return p.refuse(i, "has no role")
	case role[0] != '"' || role == `""`:
		return p.refuse(i, "has a role that is not a string or is empty")
	case content == "":
		return p.refuse(i, "has no content")
	}
	return nil
}

// content reads the content of message i: a string or a list of parts.
func (p *parser) content(i int) error {
	switch p.c.s[p.c.i] {
	case '"':
		p.text()
		return nil
	case '[':
	case 'n':
		return p.refuse(i, `has null as its content (use "" if there is none)`)
	default:
		return p.refuse(i, "has "+describe(p.c.s[p.c.i:])+" as its content")
	}
	n := 0
	for ; p.c.next(n == 0); n++ {
		if p.c.s[p.c.i] != '{' {
			return p.refusePart(i, n, "is "+describe(p.c.s[p.c.i:]))
		}
		var kind string
		hasText := false
		for first := true; p.c.next(first); first = false {
			switch key := p.c.key(); {
			case key == "text" && p.c.s[p.c.i] == '"':
				hasText = true
				p.text()
			case key == "type":
				kind = p.c.value()
			default:
				p.c.value()
			}
		}
		switch {
		case kind == "" || kind[0] != '"' || kind == `""`:
			return p.refusePart(i, n, "has no type")
		case kind == `"text"` && !hasText:
			return p.refusePart(i, n, "is of type text but has no text")
		}
	}
	if n == 0 {
		return p.refuse(i, "has an empty list as its content")
	}
	return nil
}

// text reads a string and notes its place.
func (p *parser) text() {
	from := p.c.i
	p.c.value()
	p.spans = append(p.spans, span{from: from, to: p.c.i})
}

func (p *parser) refuse(i int, why string) error {
	return invalid("%s[%d] %s. A message has a role, a string that is not empty, and a content, a string or a list of parts; or it is {\"type\":\"placeholder\",\"name\":\"history\"}.", p.what, i, why)
}

func (p *parser) refusePart(i, n int, why string) error {
	return invalid("%s[%d].content[%d] %s. A part is an object with a type, such as {\"type\":\"text\",\"text\":\"Hello\"}.", p.what, i, n, why)
}

// A cursor walks over canonical JSON. It trusts it: there is no white space
// between tokens and no error of syntax.
type cursor struct {
	s string
	i int
}

// next steps into the object or list at the cursor if first, else over the
// comma after an element, and reports whether an element follows; if none does,
// it steps over the closing bracket. Each element must have been read whole.
func (c *cursor) next(first bool) bool {
	if first || c.s[c.i] == ',' {
		c.i++
	}
	if k := c.s[c.i]; k == ']' || k == '}' {
		c.i++
		return false
	}
	return true
}

// key reads a key and its colon. An escaped key is returned as written: no key
// that stet knows needs an escape.
func (c *cursor) key() string {
	k := c.value()
	c.i++
	return k[1 : len(k)-1]
}

// value reads the whole value at the cursor and returns it.
func (c *cursor) value() string {
	from := c.i
	for depth := 0; c.i < len(c.s); {
		switch c.s[c.i] {
		case '"':
			c.i++
			for c.s[c.i] != '"' {
				if c.s[c.i] == '\\' {
					c.i++
				}
				c.i++
			}
			c.i++
		case '{', '[':
			depth++
			c.i++
			continue
		case '}', ']':
			depth--
			c.i++
		case ',', ':':
			c.i++
			continue
		default: // a number, true, false or null
			for c.i < len(c.s) && !strings.ContainsRune(",]}", rune(c.s[c.i])) {
				c.i++
			}
		}
		if depth == 0 {
			break
		}
	}
	return c.s[from:c.i]
}
