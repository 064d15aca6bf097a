package prompt

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet/fault"
)

// Decode reads one JSON value into v, a pointer to one of this package's types
// or to a struct of them. It is strict, so that a slip of the pen is an error and
// not something that is silently left out: no unknown or duplicate members, no
// invalid UTF-8 or unpaired surrogates, nothing after the value. The error is
// invalid and says where.
//
// encoding/json is not used for what others send: it replaces what is not UTF-8,
// and a text must be kept byte for byte or refused.
func Decode(r io.Reader, v any) error {
	seen := beginning{r: r}
	d := jsontext.NewDecoder(&seen)
	if err := json.UnmarshalDecode(d, v, json.RejectUnknownMembers(true)); err != nil {
		return decodeError(err, seen.b)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "something follows the JSON value, at byte %d. Send one value.", d.InputOffset())
	}
	return nil
}
