package stet

import (
	"bytes"
	stdjson "encoding/json"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet/content"
)

// versionJSON is the wire form of a version.
type versionJSON struct {
	PromptID  string             `json:"prompt_id"`
	Version   Number             `json:"version"`
	Ordinal   uint64             `json:"ordinal"`
	Revision  uint64             `json:"revision"`
	Digest    content.Digest     `json:"digest"`
	Type      string             `json:"type"`
	Text      *string            `json:"text"`
	Messages  stdjson.RawMessage `json:"messages"`
	Variables skipped            `json:"variables"` // derived from the content, and not read
	Config    stdjson.RawMessage `json:"config"`
	Template  string             `json:"template"`
	Metadata  stdjson.RawMessage `json:"metadata"`
	Parents   []string           `json:"parents"`
	Author    string             `json:"author"`
	Message   string             `json:"message"`
	CreatedAt time.Time          `json:"created_at"`
}

// UnmarshalJSONFrom reads what AppendJSON writes; null is the zero Version. AsOf becomes
// the version's own revision; see [Version.WithAsOf].
//
// The error is invalid if the content is not valid, or does not have the digest that is
// given and so was changed on the way. Without a digest it is computed.
func (v *Version) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == 'n' {
		*v = Version{}
		return d.SkipValue()
	}
	var w versionJSON
	if err := json.UnmarshalDecode(d, &w); err != nil {
		return err
	}
	read, err := w.read()
	if err == nil {
		*v = read
	}
	return err
}

// UnmarshalJSON is UnmarshalJSONFrom for encoding/json.
func (v *Version) UnmarshalJSON(b []byte) error {
	return v.UnmarshalJSONFrom(jsontext.NewDecoder(bytes.NewReader(b)))
}

func (w *versionJSON) read() (Version, error) {
	// There is no limit: what a store has taken it gives, whatever its limit is now.
	body, err := content.New(content.Spec{
		Type: w.Type, Text: w.Text, Messages: w.Messages, Config: w.Config, Template: w.Template, Limit: -1,
	})
	if err != nil {
		return Version{}, AsError(err)
	}
	return w.with(body)
}

// VersionWithContent reads what AppendJSONWithoutContent writes, and returns it with a
// content, which must have the digest that is given there.
func VersionWithContent(text []byte, c content.Content) (Version, error) {
	var w versionJSON
	if err := json.Unmarshal(text, &w); err != nil {
		return Version{}, err
	}
	if w.Digest.IsZero() {
		return Version{}, Errorf(CodeInvalid, "%s@%s has neither its content nor a digest.", w.PromptID, w.Version)
	}
	return w.with(c)
}

// with returns the version with its content.
func (w *versionJSON) with(body content.Content) (_ Version, err error) {
	digest := body.Digest()
	if !w.Digest.IsZero() && w.Digest != digest {
		return Version{}, Errorf(CodeInvalid, "%s@%s does not have the digest that it gives: its content was changed on the way.", w.PromptID, w.Version)
	}
	metadata := []byte("{}")
	if len(w.Metadata) > 0 {
		if metadata, err = content.Canonicalize(w.Metadata); err != nil {
			return Version{}, err
		}
		if metadata[0] != '{' {
			return Version{}, Errorf(CodeInvalid, "the metadata of %s@%s is not a JSON object.", w.PromptID, w.Version)
		}
	}
	return NewVersion(&VersionFields{
		PromptID: w.PromptID, Number: w.Version, Ordinal: w.Ordinal, Revision: w.Revision, Digest: digest,
		Content: body, Metadata: string(metadata), Parents: w.Parents, Author: w.Author, Message: w.Message,
		CreatedAt: w.CreatedAt.UTC(),
	}, w.Revision), nil
}
