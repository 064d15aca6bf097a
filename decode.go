package stet

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads one JSON value into v, a pointer to one of this package's types or to a
// struct of them. It is strict, so that a mistake is an error and never ignored: no
// unknown or duplicate members, no invalid UTF-8 or unpaired surrogates, nothing after
// the value. The error is invalid and says where the mistake is. It is too_large for a
// list or a map that is longer than any may be, of which Decode does not read the rest.
//
// Use it instead of encoding/json for JSON that others send: encoding/json replaces
// invalid UTF-8, but stet keeps a text byte for byte or refuses it.
func Decode(r io.Reader, v any) error { return decode(r, v, bounded) }

// DecodeAll is Decode without the limits of lists and maps, for files that the user owns.
func DecodeAll(r io.Reader, v any) error { return decode(r, v) }

// decoders are for buffers, which they do not keep. A new one takes 5 KB.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(noBytes) }}

var noBytes = new(bytes.Buffer)

func decode(r io.Reader, v any, more ...json.Options) error {
	seen := beginning{r: r}
	var d *jsontext.Decoder
	if b, ok := r.(*bytes.Buffer); ok { // which is there, and is not copied
		seen.b = b.Bytes()[:min(b.Len(), mostSeen)]
		d = decoders.Get().(*jsontext.Decoder)
		d.Reset(b)
		defer func() { d.Reset(noBytes); decoders.Put(d) }()
	} else {
		d = jsontext.NewDecoder(&seen)
	}
	if err := json.UnmarshalDecode(d, v, append(more, json.RejectUnknownMembers(true))...); err != nil {
		return decodeError(err, seen.b)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return Errorf(CodeInvalid, "something follows the JSON value, at byte %d. Send one value.", d.InputOffset())
	}
	return nil
}
