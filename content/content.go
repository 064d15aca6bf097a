package content

import (
	"iter"
	"slices"
)

// The types of content.
const (
	TypeText = "text" // one text
	TypeChat = "chat" // a list of messages
)

// The template settings.
const (
	TemplateBraces = "{{}}" // "{{name}}" is a variable; the default
	TemplateNone   = "none" // nothing is a variable: "{{Hostname}}" stays as it is
)

// noConfig is the canonical form of a config that is not given.
const noConfig = "{}"

// A Content is the immutable content of one version. It is one pointer, so
// that copying it costs nothing; what it hands out are strings and iterators,
// so that nobody can change it. It is not comparable with ==: use
// [Content.Equal].
//
// The zero Content is no content: IsZero reports true, its accessors return
// "" and nothing, its digest is the zero Digest, and it cannot be rendered.
type Content struct {
	_ [0]func() // not comparable: == would compare identity, not content
	b *body
}

// body is what a Content points to. It is never written to after New.
type body struct {
	kind         string // TypeText or TypeChat
	text         string // as given, if kind is TypeText
	messages     string // canonical JSON, if kind is TypeChat
	config       string // canonical JSON, never ""
	template     string // TemplateBraces or TemplateNone
	spans        []span // of messages, in order
	variables    []string
	placeholders []string
}

// nothing is what the zero Content points to.
var nothing body

func (c Content) get() *body {
	if c.b == nil {
		return &nothing
	}
	return c.b
}

// IsZero reports whether c is the zero Content, which no call of New returns.
func (c Content) IsZero() bool { return c.b == nil }

// Type returns TypeText or TypeChat.
func (c Content) Type() string { return c.get().kind }

// Text returns the text, byte for byte as it was given, and "" for a chat.
func (c Content) Text() string { return c.get().text }

// Messages returns the list of messages as canonical JSON, and "" for a text.
func (c Content) Messages() string { return c.get().messages }

// Config returns the config as canonical JSON, "{}" if none was given.
func (c Content) Config() string { return c.get().config }

// Template returns TemplateBraces or TemplateNone.
func (c Content) Template() string { return c.get().template }

// Variables returns the names of the variables, each once, in the order of
// their bytes. They are looked for in the text, or in the messages' contents
// and their parts' texts; never in the config, nor in a content whose template
// is "none".
func (c Content) Variables() iter.Seq[string] { return slices.Values(c.get().variables) }

// Placeholders returns the names of the messages' placeholders, each once, in
// the order of their bytes. They are not variables: a list of messages goes
// there, not a text. The template setting does not concern them.
func (c Content) Placeholders() iter.Seq[string] { return slices.Values(c.get().placeholders) }

// Equal reports whether c and other have the same canonical form. It computes
// no digest.
func (c Content) Equal(other Content) bool {
	a, b := c.get(), other.get()
	return a == b || a.kind == b.kind && a.template == b.template && a.config == b.config &&
		a.text == b.text && a.messages == b.messages
}

// AppendMembers appends the content to dst as members of a JSON object,
// without the braces, so that a caller can write them among its own:
//
//	"type":"text","text":"Hello","config":{"model":"m"},"template":"none"
//
// "config" is left out if it is {} and "template" if it is "{{}}". The members
// decode into a [Spec], and New of that gives an equal Content. The zero
// Content has no members.
func (c Content) AppendMembers(dst []byte) []byte {
	if c.b == nil {
		return dst
	}
	dst = appendValue(dst, c.b.kind, c.b.text, c.b.messages)
	if c.b.config != noConfig {
		dst = append(dst, `,"config":`...)
		dst = append(dst, c.b.config...)
	}
	if c.b.template != TemplateBraces {
		dst = append(dst, `,"template":`...)
		dst = AppendQuote(dst, c.b.template)
	}
	return dst
}

// appendValue appends the members "type" and "text" or "messages".
func appendValue(dst []byte, kind, text, messages string) []byte {
	if kind == TypeChat {
		dst = append(dst, `"type":"chat","messages":`...)
		return append(dst, messages...)
	}
	dst = append(dst, `"type":"text","text":`...)
	return AppendQuote(dst, text)
}
