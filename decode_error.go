package stet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/visible"
)

// A beginning reads, and remembers the first bytes: an error shows the value that it is
// about, if that is among them.
type beginning struct {
	r io.Reader
	b []byte
}

// mostSeen is how many bytes are remembered: most of the requests that people type.
const mostSeen = 1 << 10

// Read is r's.
func (s *beginning) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if room := mostSeen - len(s.b); room > 0 {
		s.b = append(s.b, p[:min(n, room)]...)
	}
	return n, err
}

// decodeError puts what is wrong with JSON that somebody sent, and that begins with seen,
// into words. What the reader failed with is returned as it is.
func decodeError(err error, seen []byte) error {
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	var c *content.Error
	if errors.As(err, &c) {
		return AsError(err)
	}
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return Errorf(CodeInvalid, "there is no JSON value. Send one.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return WrapError(err, CodeInvalid, "the JSON value is cut short.")
	case errors.As(err, &semantic) && errors.Is(semantic.Err, json.ErrUnknownName):
		return WrapError(err, CodeInvalid, "there is no member %s here. See the spelling, or leave it out.", semantic.JSONPointer)
	case errors.As(err, &semantic):
		return WrapError(err, CodeInvalid, "%s", mismatch(semantic, seen))
	case errors.As(err, &syntactic):
		in := ""
		if p := syntactic.JSONPointer; p != "" {
			in = fmt.Sprintf(", in %q", p)
		}
		return WrapError(err, CodeInvalid, "the JSON is broken at byte %d%s: %v.", syntactic.ByteOffset, in, syntactic.Err)
	}
	return err
}

// mismatch says which value is of another kind than belongs there, which kind it is, and
// what to give instead.
func mismatch(e *json.SemanticError, seen []byte) string {
	came := kindWords[e.JSONKind]
	if came == "" {
		came = "not what belongs there"
	}
	give := belongs(e, scalar(seen, e.ByteOffset))
	if give == "" {
		give = "see what belongs there"
	} else {
		give = "give " + give
	}
	why := ""
	if e.Err != nil && !errors.Is(e.Err, strconv.ErrSyntax) {
		why = fmt.Sprintf(" (%v)", e.Err)
	}
	return fmt.Sprintf("%s is %s%s; %s (byte %d).", where(e.JSONPointer), came, why, give, e.ByteOffset)
}

// where names a value by its member, and by all that it is in if that is more.
func where(p jsontext.Pointer) string {
	last, parent := p.LastToken(), p.Parent()
	switch {
	case p == "":
		return "the JSON value"
	case parent == "":
		return name(last)
	case last != "" && strings.Trim(last, "0123456789") == "":
		return fmt.Sprintf("item %s of %s", last, name(string(parent)))
	}
	return fmt.Sprintf("%s in %s", name(last), name(string(parent)))
}

// name returns the name of a member as it is, or in quotes if it is long or not plain.
func name(s string) string {
	if q := visible.QuoteASCII(s); q != `"`+s+`"` || strings.Contains(s, " ") {
		return q
	}
	return s
}

// kindWords are the kinds of JSON, in words.
var kindWords = map[jsontext.Kind]string{
	'n': "null", 't': "true", 'f': "false", '"': "a text", '0': "a number", '{': "an object", '[': "a list",
}

// belongs says what a value is to be, in the form in which value came if that can be, or "".
func belongs(e *json.SemanticError, value string) string {
	if e.GoType == nil {
		return ""
	}
	t := e.GoType
	for t.Kind().String() == "ptr" {
		t = t.Elem()
	}
	if t.String() == "time.Time" {
		return `a time: "2026-11-23T15:04:05Z"`
	}
	switch kind := t.Kind().String(); {
	case kind == "string":
		if e.JSONKind == '0' && value != "" {
			return `a text: "` + value + `"`
		}
		switch e.JSONKind {
		case 't', 'f':
			return fmt.Sprintf(`a text: "%s"`, kindWords[e.JSONKind])
		}
		return "a text"
	case kind == "bool":
		return "true or false"
	case strings.HasPrefix(kind, "uint") && strings.HasPrefix(value, "-"):
		return "a whole number from 0 on"
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "a whole number" + unquoted(value)
	case strings.HasPrefix(kind, "float"):
		return "a number" + unquoted(value)
	case kind == "slice" && t.Elem().Kind().String() != "uint8":
		return "a list"
	case kind == "map", kind == "struct" && t.String() != "stet.Number":
		return "an object"
	}
	return ""
}

// unquoted returns the number that a text would be without its quotes.
func unquoted(value string) string {
	s, err := strconv.Unquote(value)
	if _, nerr := strconv.ParseUint(s, 10, 63); err != nil || nerr != nil {
		return ""
	}
	return ": " + s
}

// scalar returns the number or text at an offset of what was seen, or "" if it is long or
// not there.
func scalar(seen []byte, offset int64) string {
	const most = 40
	if offset < 0 || offset > int64(len(seen)) {
		return ""
	}
	rest := bytes.TrimLeft(seen[offset:], " \t\r\n:,")
	end := bytes.IndexAny(rest, " \t\r\n,]}")
	if end < 1 || end > most {
		return ""
	}
	return string(rest[:end])
}
