package content

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"testing"
)

// FuzzCanonical: the canonical form is a fixed point; it means what the value
// meant, to encoding/json, which shares nothing with jsontext; and two values
// have one canonical form exactly if they are equal.
//
// Its seeds, as those of the other targets, are in testdata/fuzz.
func FuzzCanonical(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b []byte) {
		ca, va, ok := canonicalAndValue(t, a)
		if !ok {
			return
		}
		// The same value in encoding/json's spelling, which escapes more and
		// writes numbers and orders keys otherwise.
		other, err := json.MarshalIndent(va, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if co, err := Canonicalize(other); err != nil || !bytes.Equal(ca, co) {
			t.Fatalf("%s is equal to %s, but canonical they are %s and %s, %v", a, other, ca, co, err)
		}
		if cb, vb, ok := canonicalAndValue(t, b); ok && bytes.Equal(ca, cb) != reflect.DeepEqual(va, vb) {
			t.Fatalf("%s and %s: canonical %s and %s", a, b, ca, cb)
		}
	})
}

func canonicalAndValue(t *testing.T, in []byte) (canonical []byte, value any, ok bool) {
	canonical, err := Canonicalize(in)
	if err != nil {
		wantError(t, err, codeInvalid, "")
		return nil, nil, false
	}
	again, err := Canonicalize(canonical)
	if err != nil || !bytes.Equal(canonical, again) {
		t.Fatalf("%s became %s and then %s, %v", in, canonical, again, err)
	}
	var was any
	if err := json.Unmarshal(in, &was); err != nil {
		t.Fatalf("%s was taken, encoding/json says %v", in, err)
	}
	if err := json.Unmarshal(canonical, &value); err != nil || !reflect.DeepEqual(was, value) {
		t.Fatalf("%s became %s, which is another value, %v", in, canonical, err)
	}
	return canonical, value, true
}

// FuzzNew: whatever is given, New takes it or says why not; what it took comes
// back with the same digest and can be rendered.
func FuzzNew(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, messages, config []byte, kind, template string, limit int) {
		s := Spec{Type: kind, Messages: messages, Config: config, Template: template, Limit: limit}
		if text != "" {
			s.Text = &text
		}
		c, err := New(s)
		if err != nil {
			code := codeInvalid
			if codeOf(err) == codeTooLarge {
				code = codeTooLarge
			}
			wantError(t, err, code, "")
			return
		}
		checkRoundTrip(t, c)
		if n := len(c.AppendCanonical(nil)); limit > 0 && n > limit {
			t.Fatalf("%d bytes with a limit of %d", n, limit)
		}
		if canonical, err := Canonicalize(c.AppendCanonical(nil)); err != nil || string(canonical) != string(c.AppendCanonical(nil)) {
			t.Fatalf("the canonical form is not canonical: %s, %v", canonical, err)
		}
		v := Values{Variables: map[string]string{}, Placeholders: map[string]json.RawMessage{}, Limit: -1}
		for name := range c.Variables() {
			v.Variables[name] = "{{" + name + "}}"
		}
		for name := range c.Placeholders() {
			v.Placeholders[name] = json.RawMessage(`[{"role":"user","content":"x"}]`)
		}
		r, err := c.Render(v)
		if err != nil {
			t.Fatalf("render: %v", err)
		}
		if c.Type() == TypeChat {
			if _, err := New(Spec{Messages: []byte(r.Messages()), Limit: -1}); err != nil {
				t.Fatalf("rendered messages %s: %v", r.Messages(), err)
			}
		}
	})
}

// variable says what a variable is, independently of nextVariable.
var variable = regexp.MustCompile(`\{\{[\pZ\t-\r\x{85}]*([\pL_][\pL\pM\p{Nd}_.\-]*)[\pZ\t-\r\x{85}]*\}\}`)

// FuzzVariables: rendering each variable as itself gives the text back, save for
// white space inside the braces.
func FuzzVariables(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		c, err := New(Spec{Text: &text})
		if err != nil {
			return
		}
		v := Values{Variables: map[string]string{}}
		for name := range c.Variables() {
			v.Variables[name] = "{{" + name + "}}"
		}
		found := map[string]bool{}
		want := variable.ReplaceAllStringFunc(text, func(s string) string {
			name := variable.FindStringSubmatch(s)[1]
			if len(name) > MaxName {
				return s
			}
			found[name] = true
			return "{{" + name + "}}"
		})
		r, err := c.Render(v)
		if err != nil {
			t.Fatal(err)
		}
		if r.Text() != want || len(found) != len(v.Variables) {
			t.Fatalf("%q became %q, want %q", text, r.Text(), want)
		}
		if want != "" {
			if level := Compare(c, must(t, Spec{Text: &want})).Level; level > Patch {
				t.Fatalf("%q and %q: %v", text, want, level)
			}
		}
	})
}
