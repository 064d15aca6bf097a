package stet

import (
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/stet-dev/stet/content"
)

// VersionFields are the fields of a version, for [NewVersion].
type VersionFields struct {
	PromptID  string
	Number    Number
	Ordinal   uint64
	Revision  uint64
	Digest    content.Digest
	Content   content.Content
	Metadata  string // a JSON object in canonical form
	Parents   []string
	Author    string
	Message   string
	CreatedAt time.Time
}

// A Version is one immutable content under one number, as it was read at some revision
// of the store. It is a small value, cheap to copy, and safe for concurrent use. Nothing
// that a caller does with it can change the store.
//
// Labels are not part of a version, since they move; see [Head].
//
// The zero Version means "none"; see IsZero.
type Version struct {
	f    *VersionFields // never changed
	asOf uint64
}

// NewVersion returns a version with the given fields, as an answer of the revision asOf.
// NewVersion is for a [Backend]: it checks nothing and keeps f, which must never change.
func NewVersion(f *VersionFields, asOf uint64) Version { return Version{f, asOf} }

var noFields VersionFields

func (v Version) fields() *VersionFields {
	if v.f == nil {
		return &noFields
	}
	return v.f
}

// IsZero reports whether v is the zero Version.
func (v Version) IsZero() bool { return v.f == nil }

// versionSize is how many bytes a version takes without its texts: its fields, its entry
// in a cache, and what the allocator adds by rounding up.
const versionSize = 480

// Size returns about how many bytes of memory the version takes.
func (v Version) Size() int {
	if v.f == nil {
		return 0
	}
	c := v.f.Content
	n := versionSize + len(c.Text()) + len(c.Messages()) + len(c.Config()) + len(v.f.Metadata) + len(v.f.Author) + len(v.f.Message)
	for _, p := range v.f.Parents {
		n += 16 + len(p)
	}
	return n
}

// AsOf returns the revision of the store at which the version was read.
func (v Version) AsOf() uint64 { return v.asOf }

// WithAsOf returns the same version as read at another revision.
func (v Version) WithAsOf(revision uint64) Version {
	v.asOf = revision
	return v
}

// PromptID returns the id of the prompt that the version belongs to.
func (v Version) PromptID() string { return v.fields().PromptID }

// Number returns the version's number.
func (v Version) Number() Number { return v.fields().Number }

// Ordinal returns the version's place in the order of saving, from 1.
func (v Version) Ordinal() uint64 { return v.fields().Ordinal }

// Revision returns the revision of the commit that saved the version.
func (v Version) Revision() uint64 { return v.fields().Revision }

// Digest returns the SHA-256 of the content in canonical form.
func (v Version) Digest() content.Digest { return v.fields().Digest }

// Content returns the content: type, text or messages, config and template.
func (v Version) Content() content.Content { return v.fields().Content }

// Type returns the content's type: "text" or "chat".
func (v Version) Type() string { return v.fields().Content.Type() }

// Text returns the text of a version of type "text", byte for byte as it was saved, and
// "" for a chat.
func (v Version) Text() string { return v.fields().Content.Text() }

// Variables yields the names of the variables, sorted, each once.
func (v Version) Variables() iter.Seq[string] { return v.fields().Content.Variables() }

// Render fills in the variables and, in a chat, the placeholders; see
// [content.Content.Render]. It fails with invalid if one has no value, naming all such,
// and with too_large if the result is too long.
func (v Version) Render(values Values) (content.Rendered, error) {
	r, err := v.fields().Content.Render(content.Values{Variables: values.Variables, Placeholders: values.Placeholders})
	if err != nil {
		return content.Rendered{}, AsError(err)
	}
	return r, nil
}

// Metadata returns the metadata that was given with the draft: a JSON object in canonical
// form, "{}" for none.
func (v Version) Metadata() string { return v.fields().Metadata }

// Parents yields the versions ("ID@NUMBER") that this one was made from, in the
// order given.
func (v Version) Parents() iter.Seq[string] { return slices.Values(v.fields().Parents) }

// Author returns who saved the version.
func (v Version) Author() string { return v.fields().Author }

// Message returns why the version was saved, in the author's words.
func (v Version) Message() string { return v.fields().Message }

// CreatedAt returns when the version was made, in UTC to the microsecond: the time of its
// commit, or the time that an import gave.
func (v Version) CreatedAt() time.Time { return v.fields().CreatedAt }

// Ref returns the version's full name, "ID@NUMBER".
func (v Version) Ref() string { return v.PromptID() + "@" + v.Number().String() }

// MarshalJSON returns the version as one JSON object: the wire form of a version
// everywhere in stet.
func (v Version) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the version to dst as one JSON object.
func (v Version) AppendJSON(dst []byte) []byte { return v.appendJSON(dst, true) }

// AppendJSONWithoutContent is AppendJSON for a reader who has the content, which it leaves
// out. The digest says which content that is. See [VersionWithContent].
func (v Version) AppendJSONWithoutContent(dst []byte) []byte { return v.appendJSON(dst, false) }

func (v Version) appendJSON(dst []byte, withContent bool) []byte {
	f := v.fields()
	dst = append(dst, `{"prompt_id":`...)
	dst = content.AppendQuote(dst, f.PromptID)
	dst = append(dst, `,"version":"`...)
	dst = f.Number.AppendTo(dst)
	dst = append(dst, `","ordinal":`...)
	dst = strconv.AppendUint(dst, f.Ordinal, 10)
	dst = append(dst, `,"revision":`...)
	dst = strconv.AppendUint(dst, f.Revision, 10)
	dst = append(dst, `,"digest":"`...)
	dst, _ = f.Digest.AppendText(dst)
	dst = append(dst, `",`...)
	if withContent {
		dst = appendContent(dst, f.Content)
	}
	dst = append(dst, `"metadata":`...)
	dst = append(dst, f.Metadata...)
	dst = append(dst, `,"parents":[`...)
	for i, p := range f.Parents {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = content.AppendQuote(dst, p)
	}
	dst = append(dst, `],"author":`...)
	dst = content.AppendQuote(dst, f.Author)
	dst = append(dst, `,"message":`...)
	dst = content.AppendQuote(dst, f.Message)
	dst = append(dst, `,"created_at":"`...)
	dst = AppendTime(dst, f.CreatedAt)
	return append(dst, `"}`...)
}

// appendContent appends the members of a version's content, with a comma at the end.
func appendContent(dst []byte, c content.Content) []byte {
	dst = append(dst, `"type":"`...)
	dst = append(dst, c.Type()...)
	if c.Type() == content.TypeChat {
		dst = append(dst, `","messages":`...)
		dst = append(dst, c.Messages()...)
	} else {
		dst = append(dst, `","text":`...)
		dst = content.AppendQuote(dst, c.Text())
	}
	dst = append(dst, `,"variables":[`...)
	first := true
	for name := range c.Variables() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = content.AppendQuote(dst, name)
	}
	dst = append(dst, `],"config":`...)
	dst = append(dst, c.Config()...)
	dst = append(dst, `,"template":"`...)
	dst = append(dst, c.Template()...)
	return append(dst, `",`...)
}
