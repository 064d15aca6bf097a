package stet

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// UnmarshalJSONFrom reads what MarshalJSON writes. It checks only the form; the store
// checks the rest.
func (c *Change) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var w struct {
		Revision    uint64     `json:"revision"`
		ID          string     `json:"id"`
		Time        time.Time  `json:"time"`
		Author      string     `json:"author"`
		Message     string     `json:"message"`
		Ops         []ChangeOp `json:"ops"`
		Fingerprint string     `json:"fingerprint"`
		Hash        Hash       `json:"hash"`
	}
	if err := json.UnmarshalDecode(d, &w); err != nil {
		return err
	}
	*c = Change{w.Revision, w.ID, w.Time.UTC(), w.Author, w.Message, w.Ops, w.Fingerprint, w.Hash}
	return nil
}

// UnmarshalJSON is UnmarshalJSONFrom for encoding/json.
func (c *Change) UnmarshalJSON(b []byte) error {
	return c.UnmarshalJSONFrom(jsontext.NewDecoder(bytes.NewReader(b)))
}
