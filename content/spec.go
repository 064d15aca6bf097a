package content

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/stet-dev/stet/internal/visible"
)

// DefaultLimit is the maximum size of a content's canonical form in bytes if a Spec has no
// other. Long prompts have some 100 KB; 1 MiB leaves room for examples, and is well below
// what every engine stores as one value.
const DefaultLimit = 1 << 20

// A Spec is what a Content is made from. Its tags are for decoding with
// github.com/go-json-experiment/json, which refuses duplicate keys, invalid
// UTF-8 and unpaired surrogates; encoding/json would silently replace them in
// the text before New could see them.
//
// Messages and Config are read during New and not kept.
type Spec struct {
	// Type is TypeText, TypeChat, or "" for what follows from Text and
	// Messages.
	Type string `json:"type,omitempty"`
	// Text is the text of a TypeText, nil if there is none.
	Text *string `json:"text,omitempty"`
	// Messages is the JSON list of messages of a TypeChat; nil or the JSON
	// null if there is none. A message is an object with a "role", a string
	// that is not empty, and a "content": a string, or a list, not empty, of
	// objects with a "type". Or it is a placeholder,
	// {"type":"placeholder","name":"history"}, with neither role nor content.
	Messages json.RawMessage `json:"messages,omitempty"`
	// Config is any JSON object; nil or the JSON null is {}.
	Config json.RawMessage `json:"config,omitempty"`
	// Template is TemplateBraces, TemplateNone, or "" for TemplateBraces.
	Template string `json:"template,omitempty"`
	// Limit is the most bytes that the canonical form may have: 0 means
	// DefaultLimit, a negative number that there is no limit.
	Limit int `json:"-"`
}

// New makes a Content, or says what is wrong with s: invalid, or too_large if
// the canonical form has more bytes than s.Limit.
//
// Invalid are: both or neither of text and messages, or another type than the
// one given; a text that is empty or white space only; messages or config that
// [Canonicalize] refuses or that have not the shape said at Spec; U+0000 and
// invalid UTF-8 in a text; an unknown type or template.
func New(s Spec) (Content, error) {
	b := &body{kind: s.Type, config: noConfig, template: s.Template}
	limit := s.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	messages, err := b.setShape(s)
	if err != nil {
		return Content{}, err
	}
	// Canonical JSON can be shorter than what was given, but a text cannot:
	// do not read one that is certainly too long.
	if limit > 0 && len(b.text) > limit {
		return Content{}, tooLarge(len(b.text), limit)
	}
	if present(s.Config) {
		if b.config, err = canonicalString("config", s.Config); err != nil {
			return Content{}, err
		}
		if b.config[0] != '{' {
			return Content{}, invalid("config is %s; it must be a JSON object, such as {\"model\":\"m\"}, or be left out.", describe(b.config))
		}
	}
	if b.kind == TypeText {
		if err := checkText("text", b.text); err != nil {
			return Content{}, err
		}
		if strings.TrimSpace(b.text) == "" {
			return Content{}, invalid("the text is empty or white space only. Give a text with at least one other character.")
		}
	} else {
		if b.messages, err = canonicalString("messages", messages); err != nil {
			return Content{}, err
		}
		if b.spans, err = parseMessages("messages", b.messages, true); err != nil {
			return Content{}, err
		}
		if b.messages == "[]" {
			return Content{}, invalid("messages is an empty list. Give at least one message or placeholder.")
		}
	}
	if limit > 0 {
		if n := b.canonicalLen(limit); n > limit {
			return Content{}, tooLarge(n, limit)
		}
	}
	b.index()
	return Content{b: b}, nil
}

// setShape sets kind, template and text, and returns the messages.
func (b *body) setShape(s Spec) (messages []byte, err error) {
	hasText, hasMessages := s.Text != nil, present(s.Messages)
	switch {
	case hasText && hasMessages:
		return nil, invalid("both text and messages are given. Give text for a text, or messages for a chat.")
	case !hasText && !hasMessages:
		return nil, invalid("neither text nor messages is given. Give text for a text, or messages for a chat.")
	}
	kind, member := TypeText, "text"
	if hasMessages {
		kind, member = TypeChat, "messages"
	}
	switch b.kind {
	case "", kind:
		b.kind = kind // the constant, so that the caller's string is not kept alive
	case TypeText, TypeChat:
		return nil, invalid("the type is %q, but %s is given, which makes it %q. Leave the type out or let it agree.", s.Type, member, kind)
	default:
		return nil, invalid("there is no type %s. The types are \"text\" and \"chat\"; it may be left out.", visible.Quote(s.Type))
	}
	switch b.template {
	case "", TemplateBraces:
		b.template = TemplateBraces
	case TemplateNone:
		b.template = TemplateNone
	default:
		return nil, invalid("there is no template setting %s. It is \"{{}}\", the default, where {{name}} is a variable, or \"none\", where nothing is.", visible.Quote(s.Template))
	}
	if hasText {
		b.text = *s.Text
	}
	return s.Messages, nil
}

// present reports whether a raw member is there and not null.
func present(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }

// checkText refuses what cannot stand in canonical JSON or in every engine.
func checkText(what, s string) error {
	if !utf8.ValidString(s) {
		i := 0
		for {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n <= 1 {
				break
			}
			i += n
		}
		return invalid("the %s is not valid UTF-8 at byte %d. Convert it to UTF-8 first.", what, i)
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return invalid("the %s has the character U+0000 at byte %d, which stet does not keep. Remove it.", what, i)
	}
	return nil
}

func tooLarge(n, limit int) error {
	return tooLargef("the content has %d bytes or more as canonical JSON; at most %d are allowed. Shorten it, or keep large parts elsewhere and name them in it.", n, limit)
}
