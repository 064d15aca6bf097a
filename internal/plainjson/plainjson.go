// Package plainjson writes JSON without the escapes that a web page would need: prompts
// are full of tags.
package plainjson

import (
	"bytes"
	"encoding/json"
)

// Marshal is json.Marshal, but <, > and & stay as they are, also in what a MarshalJSON
// has written.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
