package stet

import (
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/stet-dev/stet/content"
)

// VersionFields are what a version is made from, see [NewVersion].
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

// A Version is one immutable content under one number, as it was answered at
// some revision of the store. It is a small value: passing it around copies
// nothing, and nothing that a caller does with it can change the store.
//
// Labels are not part of a version: they move, it does not. See [Head].
//
// The zero Version is no version; IsZero tells.
type Version struct {
	f    *VersionFields // which never change
	asOf uint64
}

// NewVersion returns a version as a backend answers with it, of the revision that saved
// it. It checks nothing, and takes over f.Parents.
func NewVersion(f VersionFields) Version { return Version{&f, f.Revision} }

var noFields VersionFields

func (v Version) fields() *VersionFields {
	if v.f == nil {
		return &noFields
	}
	return v.f
}

// IsZero reports whether v is no version.
func (v Version) IsZero() bool { return v.f == nil }

// versionSize is what a version takes beside its texts: its fields, what a cache needs
// to find it again, and the allocator's rounding up.
const versionSize = 480

// Size is about the number of bytes of memory that the version holds.
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

// AsOf is the revision of the store that the answer is of.
func (v Version) AsOf() uint64 { return v.asOf }

// WithAsOf returns the version as an answer that was read at a revision.
func (v Version) WithAsOf(revision uint64) Version {
	v.asOf = revision
	return v
}

// PromptID is the id of the prompt that the version belongs to.
func (v Version) PromptID() string { return v.fields().PromptID }

// Number is the version's number within its prompt.
func (v Version) Number() Number { return v.fields().Number }

// Ordinal is the version's place in the order of saving, from 1.
func (v Version) Ordinal() uint64 { return v.fields().Ordinal }

// Revision is the revision of the commit that saved the version.
func (v Version) Revision() uint64 { return v.fields().Revision }

// Digest is the SHA-256 of the content in canonical form.
func (v Version) Digest() content.Digest { return v.fields().Digest }

// Content is the content: type, text or messages, config and template.
func (v Version) Content() content.Content { return v.fields().Content }

// Type is the content's type: "text" or "chat".
func (v Version) Type() string { return v.fields().Content.Type() }

// Text is the text of a version of type "text", byte for byte as it was saved.
// For a chat it is "".
func (v Version) Text() string { return v.fields().Content.Text() }

// Variables yields the names of the variables, sorted, each once.
func (v Version) Variables() iter.Seq[string] { return v.fields().Content.Variables() }

// Render fills the variables and, in a chat, the placeholders. See
// [content.Content.Render]. It fails with invalid, naming what has no value, or
// with too_large.
func (v Version) Render(values Values) (content.Rendered, error) {
	r, err := v.fields().Content.Render(content.Values{Variables: values.Variables, Placeholders: values.Placeholders})
	if err != nil {
		return content.Rendered{}, AsError(err)
	}
	return r, nil
}

// Metadata is the metadata given at saving: a JSON object in canonical form,
// "{}" for none.
func (v Version) Metadata() string { return v.fields().Metadata }

// Parents yields the versions ("ID@NUMBER") that this one was made from, in the
// order given.
func (v Version) Parents() iter.Seq[string] { return slices.Values(v.fields().Parents) }

// Author is who saved the version.
func (v Version) Author() string { return v.fields().Author }

// Message says why.
func (v Version) Message() string { return v.fields().Message }

// CreatedAt is when the version was made, in UTC with microseconds: the time of
// its commit, or what an import gave.
func (v Version) CreatedAt() time.Time { return v.fields().CreatedAt }

// Ref is the version's full name, "ID@NUMBER".
func (v Version) Ref() string { return v.PromptID() + "@" + v.Number().String() }

// MarshalJSON returns the version as one JSON object: the wire form of a version
// everywhere in stet.
func (v Version) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the version as one JSON object.
func (v Version) AppendJSON(dst []byte) []byte {
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
	dst = append(dst, `"type":"`...)
	dst = append(dst, f.Content.Type()...)
	if f.Content.Type() == content.TypeChat {
		dst = append(dst, `","messages":`...)
		dst = append(dst, f.Content.Messages()...)
	} else {
		dst = append(dst, `","text":`...)
		dst = content.AppendQuote(dst, f.Content.Text())
	}
	dst = append(dst, `,"variables":[`...)
	first := true
	for name := range f.Content.Variables() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = content.AppendQuote(dst, name)
	}
	dst = append(dst, `],"config":`...)
	dst = append(dst, f.Content.Config()...)
	dst = append(dst, `,"template":"`...)
	dst = append(dst, f.Content.Template()...)
	dst = append(dst, `","metadata":`...)
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
