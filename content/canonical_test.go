package content

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestCanonicalize(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"RFC 8785 3.2.2", `{"numbers":[333333333.33333329,1E1,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,10,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{"RFC 8785 3.2.3", `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{"space", " [ 1 , { } , [ ] ]\n", `[1,{},[]]`},
		{"prefix keys", `{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`},
		{"minus zero", `[-0,-0.0,0e9,-0e-5]`, `[0,0,0,0]`},
		{"largest", `[9007199254740992,-9007199254740992,9007199254740992.0,9.007199254740992e15,0.9007199254740992e+16,900719925474099200e-2]`,
			`[9007199254740992,-9007199254740992,9007199254740992,9007199254740992,9007199254740992,9007199254740992]`},
		{"just below", `[9007199254740991.9]`, `[9007199254740992]`},
		{"underflow", `[1e-400]`, `[0]`},
		{"backslashes that are no escape of NUL", `["\\u0000","\\\\u0000"]`, `["\\u0000","\\\\u0000"]`},
		{"depth", strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)},
		{"scalar", ` "a" `, `"a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			got, err := Canonicalize(in)
			if err != nil || string(got) != tt.want {
				t.Fatalf("got %s, %v\nwant %s", got, err, tt.want)
			}
			if string(in) != tt.in {
				t.Error("the argument was changed")
			}
			if len(got) > 0 {
				got[0] = 'X'
			}
			if string(in) != tt.in {
				t.Error("the result shares the argument's memory")
			}
		})
	}
}

func TestCanonicalizeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, say string }{
		{"nothing", "", "not valid JSON"},
		{"half", `{"a":`, "not valid JSON"},
		{"two values", `1 2`, "not valid JSON"},
		{"two objects", `{}{}`, "not valid JSON"},
		{"comment", `{} // c`, "not valid JSON"},
		{"duplicate key", `{"a":{"b":1,"b":2}}`, `same key twice at "/a/b"`},
		{"duplicate key, escaped", `{"a":1,"\u0061":2}`, "same key twice"},
		{"invalid UTF-8", "[\"\xff\"]", "UTF-8"},
		{"invalid UTF-8 in a key", "{\"\xc3(\":1}", "UTF-8"},
		{"lone high surrogate", `["\ud800"]`, "surrogate"},
		{"lone low surrogate", `["\udc00"]`, "surrogate"},
		{"reversed pair", `["\ude00\ud83d"]`, "surrogate"},
		{"surrogate in a key", `{"\ud800a":1}`, "surrogate"},
		{"NUL", `["a\u0000"]`, `U+0000 at "/0"`},
		{"NUL after a backslash", `["\\\u0000"]`, "U+0000"},
		{"NUL in a key", `{"\u0000":1}`, "U+0000"},
		{"bare NUL", "[\"\x00\"]", "not valid JSON"},
		{"2^53+1", `{"seed":9007199254740993}`, `the number 9007199254740993 at "/seed"`},
		{"-2^53-1", `[-9007199254740993]`, "2^53"},
		{"2^53+1 with an exponent", `[9.007199254740993e15]`, "2^53"},
		{"2^53 and a bit", `[9007199254740992.5]`, "2^53"},
		{"2^53+1 in hundredths", `[900719925474099300e-2]`, "2^53"},
		{"int64", `[9223372036854775807]`, "2^53"},
		{"1e16", `[1e16]`, "2^53"},
		{"1e300", `[1e300]`, "2^53"},
		{"overflow", `[1e309]`, "2^53"},
		{"leading zero", `[01]`, "not valid JSON"},
		{"NaN", `[NaN]`, "not valid JSON"},
		{"depth", strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), "deeper than 64"},
		{"depth of objects", strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1), "deeper than 64"},
		{"very deep", strings.Repeat("[", 1<<20), "deeper than 64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canonicalize([]byte(tt.in))
			wantError(t, err, codeInvalid, tt.say)
			if got != nil {
				t.Errorf("got %s beside the error", got)
			}
		})
	}
}

// TestNumbers holds jsontext to the table in appendix B of RFC 8785. Those over
// 2^53 are refused by stet, so this does not go through Canonicalize.
func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
	} {
		f := math.Float64frombits(tt.bits)
		for _, in := range []string{strconv.FormatFloat(f, 'e', 25, 64), strconv.FormatFloat(f, 'g', -1, 64), tt.want} {
			v := jsontext.Value(in)
			if err := v.Canonicalize(); err != nil || string(v) != tt.want {
				t.Errorf("%016x as %s: got %s, %v; want %s", tt.bits, in, v, err, tt.want)
			}
			if math.Abs(f) <= maxInteger {
				if got, err := Canonicalize([]byte(in)); err != nil || string(got) != tt.want {
					t.Errorf("Canonicalize(%s) = %s, %v; want %s", in, got, err, tt.want)
				}
			}
		}
	}
}

// TestQuote compares AppendQuote with jsontext for each byte at each offset
// within the eight bytes that plain looks at together.
func TestQuote(t *testing.T) {
	for c := range rune(0x120) {
		for pad := range 18 {
			s := strings.Repeat("x", pad) + string(c) + strings.Repeat("y", pad%9)
			want, err := jsontext.AppendQuote(nil, s)
			if err != nil {
				t.Fatal(err)
			}
			v := jsontext.Value(want)
			if err := v.Canonicalize(); err != nil {
				t.Fatal(err)
			}
			if got := AppendQuote(nil, s); string(got) != string(v) || quotedLen(s) != len(got)-2 {
				t.Fatalf("AppendQuote(%q) = %s, length %d; want %s", s, got, quotedLen(s), v)
			}
		}
	}
}

// The codes that the errors are given by the portable layer.
const (
	codeInvalid  = "invalid"
	codeTooLarge = "too_large"
)

func codeOf(err error) string {
	switch e, ok := err.(*Error); {
	case !ok:
		return ""
	case e.TooLarge:
		return codeTooLarge
	}
	return codeInvalid
}

// wantError checks that err is an *Error of the kind, that its message is a
// sentence, and that it has the words say.
func wantError(t *testing.T, err error, code, say string) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("got error %v (%T), want an *Error", err, err)
	}
	if codeOf(err) != code || !strings.Contains(e.Message, say) || !strings.HasSuffix(e.Message, ".") {
		t.Errorf("got %s: %v\nwant %s and a sentence with %q", codeOf(err), err, code, say)
	}
}
