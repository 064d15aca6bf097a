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
	d := jsontext.NewDecoder(r)
	if err := json.UnmarshalDecode(d, v, json.RejectUnknownMembers(true)); err != nil {
		return decodeError(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "something follows the JSON value, at byte %d. Send one value.", d.InputOffset())
	}
	return nil
}

func decodeError(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "there is no JSON value. Send one.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.Invalid, "the JSON value is cut short.")
	case errors.As(err, &semantic) && errors.Is(semantic.Err, json.ErrUnknownName):
		return fault.Wrap(err, fault.Invalid, "there is no member %s here. See the spelling, or leave it out.", semantic.JSONPointer)
	case errors.As(err, &semantic):
		why := ""
		if semantic.Err != nil {
			why = ": " + semantic.Err.Error()
		}
		return fault.Wrap(err, fault.Invalid, "the value at %q is not of the kind that belongs there (byte %d)%s.", semantic.JSONPointer, semantic.ByteOffset, why)
	case errors.As(err, &syntactic):
		return fault.Wrap(err, fault.Invalid, "the JSON is broken at byte %d, in %q: %v.", syntactic.ByteOffset, syntactic.JSONPointer, syntactic.Err)
	}
	return err // the reader's own
}
