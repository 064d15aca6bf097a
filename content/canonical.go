package content

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet/internal/visible"
)

// MaxDepth is how deep messages and a config may nest; the list of messages or the
// config object itself is the first level. Schemas of tools reach about 20. Many JSON
// readers fail near 100, and everybody must be able to read what stet has stored.
const MaxDepth = 64

// maxInteger is the largest magnitude of a number: beyond 2^53 a double has no
// neighbour at distance one, so a program would read back another integer.
const maxInteger = 1 << 53

// Canonicalize returns the canonical form (RFC 8785) of one JSON value, in
// fresh memory; value is left as it is. Keys are sorted by their UTF-16 code
// units, numbers are written as ECMAScript writes a double, strings have the
// fewest escapes, and no white space stands between tokens.
//
// It is an invalid error if value is not exactly one JSON value in UTF-8, or has
// duplicate keys, unpaired surrogates, U+0000 (escaped or not), numbers whose
// magnitude is over 2^53, or more than MaxDepth levels.
func Canonicalize(value []byte) ([]byte, error) { return canonicalize("The value", value) }

// canonicalString is Canonicalize for the named member.
func canonicalString(what string, value []byte) (string, error) {
	b, err := canonicalize(what, value)
	return string(b), err
}

func canonicalize(what string, value []byte) ([]byte, error) {
	if string(value) == "{}" { // as most configs and metadata are
		return []byte("{}"), nil
	}
	if err := checkJSON(what, value); err != nil {
		return nil, err
	}
	v := jsontext.Value(bytes.Clone(value))
	if err := v.Canonicalize(); err != nil {
		return nil, badJSON(what, err)
	}
	return v, nil
}

// checkJSON refuses what Canonicalize promises to refuse and jsontext would
// take. It may leave errors of syntax after the first value to jsontext.
func checkJSON(what string, value []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(value))
	for {
		switch dec.PeekKind() {
		case '"':
			s, err := dec.ReadValue()
			if err != nil {
				return badJSON(what, err)
			}
			if hasEscapedNUL(s) {
				return invalid("%s has the character U+0000%s, which stet does not keep. Remove it.", what, at(dec.StackPointer()))
			}
		case '0':
			n, err := dec.ReadValue()
			if err != nil {
				return badJSON(what, err)
			}
			if !exact(n) {
				return invalid("%s has the number %s%s; beyond ±2^53 (9007199254740992) programs read different numbers. Write it as a string.", what, cut(n), at(dec.StackPointer()))
			}
		default:
			_, err := dec.ReadToken()
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			if err != nil {
				return badJSON(what, err)
			}
			if dec.StackDepth() > MaxDepth {
				return invalid("%s nests deeper than %d levels. Flatten it, or keep the inner part as a string.", what, MaxDepth)
			}
		}
		if dec.StackDepth() == 0 {
			return nil // a second value is Canonicalize's to refuse
		}
	}
}

// hasEscapedNUL reports whether a valid JSON string literal has \u0000; a bare
// U+0000 is not valid there.
func hasEscapedNUL(literal []byte) bool {
	for {
		i := bytes.IndexByte(literal, '\\')
		if i < 0 {
			return false
		}
		if bytes.HasPrefix(literal[i:], []byte(`\u0000`)) {
			return true
		}
		literal = literal[i+2:] // the escape's letter, so that \\u0000 is not one
	}
}

// exact reports whether a valid JSON number is within ±2^53, exactly as it is
// written and not only once rounded.
func exact(n []byte) bool {
	if len(n) <= 15 && !bytes.ContainsAny(n, "eE") {
		return true // 15 characters are below 10^15
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || math.Abs(f) > maxInteger {
		return false
	}
	if math.Abs(f) < maxInteger {
		return true
	}
	// The number rounds to ±2^53, so it has 16 digits before its point, however
	// it is written, and its digits alone say whether it is larger.
	digits := make([]byte, 0, len(n))
	for _, c := range n {
		if c == 'e' || c == 'E' {
			break
		}
		if c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	digits = bytes.TrimRight(bytes.TrimLeft(digits, "0"), "0")
	return string(digits) <= "9007199254740992"
}

// badJSON turns an error of jsontext into a sentence.
func badJSON(what string, err error) error {
	var syn *jsontext.SyntacticError
	if !errors.As(err, &syn) {
		return invalid("%s is not valid JSON: %v. Give one JSON value in UTF-8.", what, err)
	}
	cause, hint := "it ends too early or is empty", "Give one JSON value in UTF-8."
	if syn.Err != nil && !errors.Is(syn.Err, io.ErrUnexpectedEOF) && !errors.Is(syn.Err, io.EOF) {
		cause = syn.Err.Error()
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		cause, hint = "an object has the same key twice", "Keep one of them."
	}
	return invalid("%s is not valid JSON: %s%s, byte %d. %s", what, cause, at(syn.JSONPointer), syn.ByteOffset, hint)
}

// at says where in a value, if not at its top.
func at(p jsontext.Pointer) string {
	if p == "" {
		return ""
	}
	return " at " + visible.Quote(string(p))
}

// cut shortens a number for a message.
func cut(n []byte) string {
	const most = 40 // enough to see which one
	if len(n) > most {
		return string(n[:most]) + "…"
	}
	return string(n)
}

// describe names the kind of a canonical JSON value.
func describe(canonical string) string {
	switch canonical[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// AppendCanonical appends the canonical form to dst: the canonical JSON object
// with exactly the members config, template, text or messages, and type. The
// zero Content has no canonical form and appends nothing.
func (c Content) AppendCanonical(dst []byte) []byte {
	if c.b == nil {
		return dst
	}
	dst = append(dst, `{"config":`...)
	dst = append(dst, c.b.config...)
	if c.b.kind == TypeChat {
		dst = append(dst, `,"messages":`...)
		dst = append(dst, c.b.messages...)
	}
	dst = append(dst, `,"template":"`...)
	dst = append(dst, c.b.template...)
	if c.b.kind == TypeChat {
		return append(dst, `","type":"chat"}`...)
	}
	dst = append(dst, `","text":`...)
	dst = AppendQuote(dst, c.b.text)
	return append(dst, `,"type":"text"}`...)
}

// canonicalLen returns the number of bytes of the canonical form, or any number
// up to enough if it is certainly not more than that.
func (b *body) canonicalLen(enough int) int {
	const frame = len(`{"config":,"messages":,"template":"","type":"chat"}`)
	n := frame + len(b.config) + len(b.template) + len(b.messages)
	if b.kind == TypeText {
		n = len(`{"config":,"template":"","text":"","type":"text"}`) + len(b.config) + len(b.template)
		if n+len(b.text)*maxEscape <= enough {
			return n + len(b.text)*maxEscape
		}
		n += quotedLen(b.text)
	}
	return n
}
