package content

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		prev, next string
		want       Change
	}{
		{`{"text":"a"}`, `{"text":"a","config":{}}`, Change{None, "the content is the same"}},
		{`{"text":"a"}`, `{"text":"a {{tone}}"}`, Change{Major, "variable {{tone}} is new"}},
		{`{"text":"a"}`, `{"text":"{{b}} {{a}}"}`, Change{Major, "variables {{a}} and {{b}} are new"}},
		{`{"text":"a"}`, `{"text":"{{a}}{{b}}{{c}}{{d}}{{e}}{{f}}{{g}}"}`, Change{Major, "variables {{a}}, {{b}}, {{c}}, {{d}}, {{e}} and 2 more are new"}},
		{`{"text":"{{a}}"}`, `{"text":"{{b}}"}`, Change{Major, "variable {{b}} is new, {{a}} is gone"}},
		{`{"text":"{{a}} x"}`, `{"text":"x"}`, Change{Minor, "text changed, variable {{a}} is gone"}},
		{`{"text":"a"}`, `{"messages":[{"role":"u","content":"a"}]}`, Change{Major, "the type changed from text to chat"}},
		{`{"text":"a"}`, `{"text":"b"}`, Change{Minor, "text changed"}},
		{`{"text":"a"}`, `{"text":"b","config":{"m":1}}`, Change{Minor, "text and config changed"}},
		{`{"text":"a"}`, `{"text":" a","config":{"m":1}}`, Change{Minor, "config changed"}},
		{`{"text":"a","config":{"m":"x y"}}`, `{"text":"a","config":{"m":"x  y"}}`, Change{Minor, "config changed"}},
		{`{"text":"a b"}`, `{"text":" a\n\n\u00a0b\t"}`, Change{Patch, "only white space changed"}},
		{`{"text":"{{a}} b"}`, `{"text":"{{ a }}\nb"}`, Change{Patch, "only white space changed"}},
		{`{"text":"a b"}`, `{"text":"ab"}`, Change{Minor, "text changed"}},
		{`{"text":"{{a}} b"}`, `{"text":"{{a}}b"}`, Change{Minor, "text changed"}},
		{`{"text":"{{ 1 }}"}`, `{"text":"{{1}}"}`, Change{Minor, "text changed"}},
		{`{"text":"{{a}}","template":"none"}`, `{"text":"{{ a }}","template":"none"}`, Change{Minor, "text changed"}},
		{`{"text":"{{a}}","template":"none"}`, `{"text":"{{a}}"}`, Change{Major, "variable {{a}} is new"}},
		{`{"text":"{{a}}"}`, `{"text":"{{a}}","template":"none"}`, Change{Minor, "template changed, variable {{a}} is gone"}},
		{`{"text":"a"}`, `{"text":"a","template":"none"}`, Change{Minor, "template changed"}},
		{`{"messages":[{"role":"u","content":"a b"}]}`, `{"messages":[{"role":"u","content":" a  b"}]}`, Change{Patch, "only white space changed"}},
		{`{"messages":[{"role":"u","content":[{"type":"text","text":"a "}]}]}`, `{"messages":[{"role":"u","content":[{"type":"text","text":"a"}]}]}`, Change{Patch, "only white space changed"}},
		{`{"messages":[{"role":"u","content":"a"}]}`, `{"messages":[{"role":"u","content":"a","name":"x"}]}`, Change{Minor, "messages changed"}},
		{`{"messages":[{"role":"u","content":"a"}]}`, `{"messages":[{"role":"v","content":"a"}]}`, Change{Minor, "messages changed"}},
		{`{"messages":[{"role":"u","content":"a","name":"x "}]}`, `{"messages":[{"role":"u","content":"a","name":"x"}]}`, Change{Minor, "messages changed"}},
		{`{"messages":[{"role":"u","content":"a"}]}`, `{"messages":[{"role":"u","content":"a"},{"type":"placeholder","name":"h"}]}`, Change{Minor, "messages changed"}},
		{`{"messages":[{"role":"u","content":"a"}]}`, `{"messages":[{"role":"u","content":"{{a}}"}]}`, Change{Major, "variable {{a}} is new"}},
	} {
		if got := Compare(must(t, decode(t, tt.prev)), must(t, decode(t, tt.next))); got != tt.want {
			t.Errorf("%s → %s\n got %v\nwant %v", tt.prev, tt.next, got, tt.want)
		}
	}
	c := must(t, Spec{Text: new("a")})
	if Compare(Content{}, c).Level != Major || Compare(c, Content{}).Level != Major || Compare(Content{}, Content{}).Level != None {
		t.Error("the zero Content is not compared as documented")
	}
}

// TestCompareProperties: Patch and None go both ways, and a change that a
// caller's values do not survive is Major.
func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(drawContent)
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		there, back := Compare(a, b), Compare(b, a)
		if there.Reason == "" || (there.Level <= Patch) != (back.Level <= Patch) || Compare(a, a).Level != None {
			t.Fatalf("%v there, %v back", there, back)
		}
		v := Values{Variables: map[string]string{}, Placeholders: map[string]json.RawMessage{"h": []byte("[]"), "i": []byte("[]")}}
		for name := range a.Variables() {
			v.Variables[name] = "v"
		}
		if _, err := b.Render(v); err != nil && there.Level != Major {
			t.Fatalf("%v, but what rendered before now fails: %v", there, err)
		}
	})
}

// TestEqualButSpace: the short look answers as leaving out all white space does, and never
// differs where Compare says that only white space changed.
func TestEqualButSpace(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune(" \n\u00a0\u2003ab{}é")), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		if rapid.Bool().Draw(t, "only white space differs") {
			b = strings.Join(strings.Fields(a), " ")
		}
		want := strings.Join(strings.Fields(a), "") == strings.Join(strings.Fields(b), "")
		if got := equalButSpace(a, b); got != want {
			t.Fatalf("%q and %q: %v, want %v", a, b, got, want)
		}
		x, y := &body{kind: TypeText, template: TemplateBraces, text: a}, &body{kind: TypeText, template: TemplateBraces, text: b}
		if x.collapsed() == y.collapsed() && !want {
			t.Fatalf("%q and %q differ in white space only, but not by the short look", a, b)
		}
	})
}

func TestLevel(t *testing.T) {
	for l, want := range map[Level]string{None: "none", Patch: "patch", Minor: "minor", Major: "major", 9: "Level(9)"} {
		if l.String() != want {
			t.Errorf("got %s, want %s", l, want)
		}
	}
}
