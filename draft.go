package stet

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet/content"
)

// UnmarshalJSONFrom reads a draft. If created_at is the zero time the error is invalid:
// in a Draft the zero time means that none was given.
func (d *Draft) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain Draft // without this method
	w := struct {
		plain
		CreatedAt *time.Time `json:"created_at"`
	}{plain: plain(*d)}
	if err := json.UnmarshalDecode(dec, &w); err != nil {
		return err
	}
	if w.CreatedAt != nil {
		if w.CreatedAt.IsZero() {
			return Errorf(CodeInvalid, "the created_at is %s. Give a time after it, up to the year 9999, or leave it out.", FormatTime(*w.CreatedAt))
		}
		w.plain.CreatedAt = *w.CreatedAt
	}
	*d = Draft(w.plain)
	return nil
}

// UnmarshalJSON is UnmarshalJSONFrom for encoding/json.
func (d *Draft) UnmarshalJSON(b []byte) error {
	return d.UnmarshalJSONFrom(jsontext.NewDecoder(bytes.NewReader(b)))
}

// Content returns the content of a draft. It fails as [content.New] does.
func (d *Draft) Content() (content.Content, error) {
	spec := content.Spec{Type: d.Type, Messages: d.Messages, Config: d.Config, Template: d.Template}
	if d.Text != "" || len(d.Messages) == 0 {
		spec.Text = &d.Text
	}
	c, err := content.New(spec)
	if err != nil {
		return content.Content{}, AsError(err)
	}
	return c, nil
}
