package stet

import (
	stdjson "encoding/json"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxList is the maximum number of elements in a list of strings that Decode reads:
// references, labels, parents. The store's own limits may be lower.
const MaxList = 1000

// MaxValues is the maximum number of members in a map that Decode reads, such as the
// variables of a render: far more than a person fills in, and few enough for a hundred
// requests to be in memory at once.
const MaxValues = 10_000

// bounded reads lists and maps element by element and stops at the limit, before what
// comes after it takes memory: seventeen million empty operations fit into a body, and
// take three gigabytes once they are read.
var bounded = json.WithUnmarshalers(json.JoinUnmarshalers(
	json.UnmarshalFromFunc(listOf[Op](MaxOps, "operations")),
	json.UnmarshalFromFunc(listOf[ChangeOp](MaxOps, "operations")),
	json.UnmarshalFromFunc(listOf[LabelChange](MaxOps, "moves of labels")),
	json.UnmarshalFromFunc(listOf[string](MaxList, "elements")),
	json.UnmarshalFromFunc(mapOf[*string]),
	json.UnmarshalFromFunc(mapOf[stdjson.RawMessage]),
))

// listOf returns what reads a list of at most so many elements. Anything but a list is
// left to the decoder.
func listOf[T any](most int, what string) func(*jsontext.Decoder, *[]T) error {
	return func(d *jsontext.Decoder, list *[]T) error {
		if d.PeekKind() != '[' {
			return errors.ErrUnsupported
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		all := []T{}
		for d.PeekKind() != ']' {
			if len(all) == most {
				return Errorf(CodeTooLarge, "the list at %q has %d %s or more; %d is the most. Split it.", d.StackPointer().Parent(), most+1, what, most)
			}
			var one T
			if err := json.UnmarshalDecode(d, &one); err != nil {
				return err
			}
			all = append(all, one)
		}
		*list = all
		_, err := d.ReadToken()
		return err
	}
}

// mapOf reads a map of at most MaxValues members. Anything but an object is left to the
// decoder.
func mapOf[T any](d *jsontext.Decoder, m *map[string]T) error {
	if d.PeekKind() != '{' {
		return errors.ErrUnsupported
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	all := make(map[string]T)
	for d.PeekKind() != '}' {
		if len(all) == MaxValues {
			return Errorf(CodeTooLarge, "the object at %q has over %d members, which is the most. Leave out what is not used.", d.StackPointer().Parent(), MaxValues)
		}
		var name string
		var one T
		if err := json.UnmarshalDecode(d, &name); err != nil {
			return err
		}
		if err := json.UnmarshalDecode(d, &one); err != nil {
			return err
		}
		all[name] = one
	}
	*m = all
	_, err := d.ReadToken()
	return err
}

// A skipped value is read over: what is derived is not taken from outside, however
// much of it there is.
type skipped struct{}

// UnmarshalJSONFrom reads over one value.
func (*skipped) UnmarshalJSONFrom(d *jsontext.Decoder) error { return d.SkipValue() }
