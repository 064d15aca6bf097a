package content

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

// decode makes a Spec of its JSON, as a store does.
func decode(t *testing.T, in string) Spec {
	t.Helper()
	var s Spec
	if err := jsonv2.Unmarshal([]byte(in), &s); err != nil {
		t.Fatalf("decode %s: %v", in, err)
	}
	return s
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, in, canonical, members string
		variables, placeholders      []string
	}{
		{"text", `{"text":"Hello"}`, `{"config":{},"template":"{{}}","text":"Hello","type":"text"}`, `"type":"text","text":"Hello"`, nil, nil},
		{"all given", `{"type":"text","text":"a\u0001 {{b}} {{ a }} {{b}}","config":{"b":1.0,"a":"{{c}}"},"template":"{{}}"}`,
			`{"config":{"a":"{{c}}","b":1},"template":"{{}}","text":"a\u0001 {{b}} {{ a }} {{b}}","type":"text"}`,
			`"type":"text","text":"a\u0001 {{b}} {{ a }} {{b}}","config":{"a":"{{c}}","b":1}`, []string{"a", "b"}, nil},
		{"template none", `{"text":"{{Hostname}}","template":"none"}`, `{"config":{},"template":"none","text":"{{Hostname}}","type":"text"}`,
			`"type":"text","text":"{{Hostname}}","template":"none"`, nil, nil},
		{"nulls are absent", `{"text":"a","messages":null,"config":null}`, `{"config":{},"template":"{{}}","text":"a","type":"text"}`, `"type":"text","text":"a"`, nil, nil},
		{"chat", `{"type":"chat","messages":[{"role":"system","content":"{{z}}","x":{"content":"{{no}}"}},{"type":"placeholder","name":"history"},
			{"role":"user","content":[{"type":"text","text":"{{a}}\n"},{"type":"image_url","image_url":{"url":"{{no}}"}},{"type":"input_text","text":"{{b}}"}]}]}`,
			`{"config":{},"messages":[{"content":"{{z}}","role":"system","x":{"content":"{{no}}"}},{"name":"history","type":"placeholder"},{"content":[{"text":"{{a}}\n","type":"text"},{"image_url":{"url":"{{no}}"},"type":"image_url"},{"text":"{{b}}","type":"input_text"}],"role":"user"}],"template":"{{}}","type":"chat"}`,
			`"type":"chat","messages":[{"content":"{{z}}","role":"system","x":{"content":"{{no}}"}},{"name":"history","type":"placeholder"},{"content":[{"text":"{{a}}\n","type":"text"},{"image_url":{"url":"{{no}}"},"type":"image_url"},{"text":"{{b}}","type":"input_text"}],"role":"user"}]`,
			[]string{"a", "b", "z"}, []string{"history"}},
		{"chat, template none", `{"messages":[{"role":"user","content":"{{a}}"},{"type":"placeholder","name":"h"},{"type":"placeholder","name":"h","note":1}],"template":"none"}`,
			`{"config":{},"messages":[{"content":"{{a}}","role":"user"},{"name":"h","type":"placeholder"},{"name":"h","note":1,"type":"placeholder"}],"template":"none","type":"chat"}`,
			`"type":"chat","messages":[{"content":"{{a}}","role":"user"},{"name":"h","type":"placeholder"},{"name":"h","note":1,"type":"placeholder"}],"template":"none"`,
			nil, []string{"h"}},
		{"a type that is not placeholder, an empty content", `{"messages":[{"type":"message","role":"user","content":"","name":""}]}`,
			`{"config":{},"messages":[{"content":"","name":"","role":"user","type":"message"}],"template":"{{}}","type":"chat"}`,
			`"type":"chat","messages":[{"content":"","name":"","role":"user","type":"message"}]`, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := decode(t, tt.in)
			c := must(t, spec)
			clear(spec.Messages) // New keeps nothing of them
			clear(spec.Config)
			if got := string(c.AppendCanonical(nil)); got != tt.canonical {
				t.Errorf("canonical\n got %s\nwant %s", got, tt.canonical)
			}
			if got := string(c.AppendMembers([]byte("!"))); got != "!"+tt.members {
				t.Errorf("members\n got %s\nwant !%s", got, tt.members)
			}
			if got := slices.Collect(c.Variables()); !slices.Equal(got, tt.variables) {
				t.Errorf("variables: got %q, want %q", got, tt.variables)
			}
			if got := slices.Collect(c.Placeholders()); !slices.Equal(got, tt.placeholders) {
				t.Errorf("placeholders: got %q, want %q", got, tt.placeholders)
			}
			checkRoundTrip(t, c)
		})
	}
}

// checkRoundTrip reads c back from both of its forms.
func checkRoundTrip(t interface {
	Helper()
	Fatalf(string, ...any)
}, c Content) {
	t.Helper()
	for _, form := range []string{"{" + string(c.AppendMembers(nil)) + "}", string(c.AppendCanonical(nil))} {
		s := Spec{}
		if err := jsonv2.Unmarshal([]byte(form), &s); err != nil {
			t.Fatalf("decode %s: %v", form, err)
		}
		back, err := New(s)
		if err != nil {
			t.Fatalf("New of %s: %v", form, err)
		}
		if back.Digest() != c.Digest() || !back.Equal(c) || Compare(c, back).Level != None {
			t.Fatalf("%s came back as %s", form, back.AppendCanonical(nil))
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, say string }{
		{"both", `{"text":"a","messages":[]}`, "both text and messages"},
		{"neither", `{}`, "neither text nor messages"},
		{"type text, messages", `{"type":"text","messages":[]}`, `makes it "chat"`},
		{"type chat, text", `{"type":"chat","text":"a"}`, `makes it "text"`},
		{"type unknown", `{"type":"Text","text":"a"}`, `no type "Text"`},
		{"template unknown", `{"template":"mustache","text":"a"}`, `no template setting "mustache"`},
		{"text empty", `{"text":""}`, "white space only"},
		{"text of spaces", `{"text":"\u00a0\u2003\n"}`, "white space only"},
		{"text with NUL", `{"text":"ab\u0000"}`, "U+0000 at byte 2"},
		{"config list", `{"text":"a","config":[]}`, "config is a list"},
		{"config string", `{"text":"a","config":"{}"}`, "config is a string"},
		{"config number", `{"text":"a","config":1}`, "config is a number"},
		{"config number too large", `{"text":"a","config":{"a":[1e17]}}`, `config has the number 1e17 at "/a/0"`},
		{"messages empty", `{"messages":[]}`, "empty list"},
		{"messages object", `{"messages":{}}`, "messages is an object"},
		{"message string", `{"messages":["a"]}`, "messages[0] is a string"},
		{"no role", `{"messages":[{"role":"user","content":"a"},{"content":"a"}]}`, "messages[1] has no role"},
		{"empty role", `{"messages":[{"role":"","content":"a"}]}`, "messages[0] has a role"},
		{"role number", `{"messages":[{"role":1,"content":"a"}]}`, "messages[0] has a role"},
		{"no content", `{"messages":[{"role":"user"}]}`, "messages[0] has no content"},
		{"null content", `{"messages":[{"role":"assistant","content":null,"tool_calls":[]}]}`, `use "" if there is none`},
		{"content object", `{"messages":[{"role":"user","content":{}}]}`, "an object as its content"},
		{"no parts", `{"messages":[{"role":"user","content":[]}]}`, "an empty list as its content"},
		{"part string", `{"messages":[{"role":"user","content":["a"]}]}`, "messages[0].content[0] is a string"},
		{"part without type", `{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"text":"a"}]}]}`, "messages[0].content[1] has no type"},
		{"part text without text", `{"messages":[{"role":"user","content":[{"type":"text","text":1}]}]}`, "has no text"},
		{"placeholder without name", `{"messages":[{"type":"placeholder"}]}`, "messages[0] is a placeholder without a valid name"},
		{"placeholder with a bad name", `{"messages":[{"type":"placeholder","name":"a b"}]}`, "without a valid name"},
		{"placeholder with a role", `{"messages":[{"type":"placeholder","name":"a","role":"user"}]}`, "has a role or content too"},
		{"key with NUL", `{"messages":[{"role":"user","content":"a","\u0000":1}]}`, "U+0000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(decode(t, tt.in))
			wantError(t, err, codeInvalid, tt.say)
			if !c.IsZero() {
				t.Error("a content came beside the error")
			}
		})
	}
	bad := "ab\xff"
	_, err := New(Spec{Text: &bad})
	wantError(t, err, codeInvalid, "UTF-8 at byte 2")
	_, err = New(Spec{Type: strings.Repeat("é\xff", 99), Text: &bad})
	wantError(t, err, codeInvalid, "no type")
}

func TestLimit(t *testing.T) {
	for _, text := range []string{"Hello", "He\nllo\x01\"", strings.Repeat("世", 50)} {
		n := len(must(t, Spec{Text: &text}).AppendCanonical(nil))
		must(t, Spec{Text: &text, Limit: n})
		_, err := New(Spec{Text: &text, Limit: n - 1})
		wantError(t, err, codeTooLarge, "")
	}
	chat := []byte(`[{"role":"user", "content":"Hello"}]`)
	n := len(must(t, Spec{Messages: chat}).AppendCanonical(nil))
	must(t, Spec{Messages: chat, Limit: n})
	_, err := New(Spec{Messages: chat, Limit: n - 1})
	wantError(t, err, codeTooLarge, "")

	long := strings.Repeat("x", DefaultLimit)
	_, err = New(Spec{Text: &long})
	wantError(t, err, codeTooLarge, "1048576")
	must(t, Spec{Text: &long, Limit: -1})
}

func TestZero(t *testing.T) {
	var z Content
	if !z.IsZero() || z.Type()+z.Text()+z.Messages()+z.Config()+z.Template() != "" || !z.Digest().IsZero() ||
		len(z.AppendCanonical(nil))+len(z.AppendMembers(nil)) != 0 || !z.Equal(Content{}) {
		t.Error("the zero Content is not empty")
	}
	for range z.Variables() {
		t.Error("the zero Content has a variable")
	}
	for range z.Placeholders() {
		t.Error("the zero Content has a placeholder")
	}
	_, err := z.Render(Values{})
	wantError(t, err, codeInvalid, "no content")
	c := must(t, Spec{Text: new("a")})
	if z.Equal(c) || c.Equal(z) {
		t.Error("the zero Content equals another")
	}
	if got := (Rendered{}).AppendMembers(nil); got != nil {
		t.Errorf("the zero Rendered has members: %s", got)
	}
}

// TestEqual: contents are equal exactly if their canonical forms are.
func TestEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(drawContent)
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		same := string(a.AppendCanonical(nil)) == string(b.AppendCanonical(nil))
		if a.Equal(b) != same || (a.Digest() == b.Digest()) != same || (Compare(a, b).Level == None) != same {
			t.Fatalf("%s and %s: Equal %v", a.AppendCanonical(nil), b.AppendCanonical(nil), a.Equal(b))
		}
		if got, err := Canonicalize(a.AppendCanonical(nil)); err != nil || string(got) != string(a.AppendCanonical(nil)) {
			t.Fatalf("the canonical form is not canonical: %s, %v", got, err)
		}
		checkRoundTrip(t, a)
	})
}

// drawContent draws from few words, so that equal contents come up.
func drawContent(t *rapid.T) Content {
	word := rapid.SampledFrom([]string{"a", "b ", " b", "\n", "{{x}}", "{{ x }}", "{{y}}", "\"é\u2028😀"})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "words"), "") })
	s := Spec{
		Template: rapid.SampledFrom([]string{"", TemplateBraces, TemplateNone}).Draw(t, "template"),
		Config:   []byte(rapid.SampledFrom([]string{"", "null", "{}", ` {"b":1,"a":2}`, `{"a":2.0,"b":1e0}`, `{"a":"1"}`}).Draw(t, "config")),
	}
	if rapid.Bool().Draw(t, "chat") {
		var list []any
		for range rapid.IntRange(1, 2).Draw(t, "messages") {
			switch rapid.IntRange(0, 2).Draw(t, "message") {
			case 0:
				list = append(list, map[string]any{"role": "user", "content": text.Draw(t, "content")})
			case 1:
				list = append(list, map[string]any{"role": "user", "content": []any{map[string]any{"type": "text", "text": text.Draw(t, "part")}}})
			default:
				list = append(list, map[string]any{"type": "placeholder", "name": rapid.SampledFrom([]string{"h", "i"}).Draw(t, "name")})
			}
		}
		s.Messages, _ = json.Marshal(list)
	} else {
		s.Text = new(text.Draw(t, "text") + "!")
	}
	c, err := New(s)
	if err != nil {
		t.Fatalf("New(%+v): %v", s, err)
	}
	return c
}
