package httpapi

import (
	"encoding/json"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/plainjson"
)

// encode returns v as JSON without the escapes that a web page would need: prompts are
// full of tags, and what is answered is no page. All JSON of this package that is not
// appended by hand comes from here: encoding/json.Marshal escapes even what a
// MarshalJSON has written.
func encode(v any) ([]byte, error) {
	if m, ok := v.(json.Marshaler); ok {
		return m.MarshalJSON()
	}
	b, err := plainjson.Marshal(v)
	if err != nil {
		return nil, stet.WrapError(err, stet.CodeInternal, "the answer could not be encoded: %v.", err)
	}
	return b, nil
}
