package content

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	vars := map[string]string{"a": "<b>&\"\\\n", "b": "{{a}}", "e": "", "unused": "\xff"}
	lists := map[string]json.RawMessage{
		"h": json.RawMessage(` [ {"role":"user","content":"{{a}} {{zz}}"}, {"role":"assistant","content":[{"type":"text","text":"ok"}]} ]`),
		"n": json.RawMessage(`[]`),
		"x": json.RawMessage(`not used`),
	}
	const filled = `{"content":"{{a}} {{zz}}","role":"user"},{"content":[{"text":"ok","type":"text"}],"role":"assistant"}`
	for _, tt := range []struct{ name, in, want string }{
		{"text", `{"text":"{{a}}|{{ b }}|{{e}}|{{}}|{{{a}}}"}`, `"type":"text","text":"<b>&\"\\\n|{{a}}||{{}}|{<b>&\"\\\n}"`},
		{"no variables", `{"text":" x ","config":{"a":"{{zz}}"}}`, `"type":"text","text":" x ","config":{"a":"{{zz}}"}`},
		{"all empty", `{"text":"{{e}}"}`, `"type":"text","text":""`},
		{"template none", `{"text":"{{Hostname}}","template":"none"}`, `"type":"text","text":"{{Hostname}}"`},
		{"chat", `{"messages":[{"role":"system","content":"{{a}}\t"},{"type":"placeholder","name":"h"},{"role":"user","content":[{"type":"text","text":"{{b}}"},{"type":"i","u":"{{zz}}"}]}]}`,
			`"type":"chat","messages":[{"content":"<b>&\"\\\n\t","role":"system"},` + filled + `,{"content":[{"text":"{{a}}","type":"text"},{"type":"i","u":"{{zz}}"}],"role":"user"}]`},
		{"chat, template none", `{"messages":[{"role":"system","content":"{{zz}}"},{"type":"placeholder","name":"h"}],"template":"none"}`,
			`"type":"chat","messages":[{"content":"{{zz}}","role":"system"},` + filled + `]`},
		{"empty list first", `{"messages":[{"type":"placeholder","name":"n"},{"role":"u","content":""}]}`, `"type":"chat","messages":[{"content":"","role":"u"}]`},
		{"empty list last", `{"messages":[{"role":"u","content":""},{"type":"placeholder","name":"n"}]}`, `"type":"chat","messages":[{"content":"","role":"u"}]`},
		{"empty list between", `{"messages":[{"role":"u","content":""},{"type":"placeholder","name":"n"},{"role":"v","content":""}]}`,
			`"type":"chat","messages":[{"content":"","role":"u"},{"content":"","role":"v"}]`},
		{"empty lists only", `{"messages":[{"type":"placeholder","name":"n"},{"type":"placeholder","name":"n"}]}`, `"type":"chat","messages":[]`},
		{"empty lists around", `{"messages":[{"type":"placeholder","name":"n"},{"type":"placeholder","name":"h"},{"type":"placeholder","name":"n"},{"type":"placeholder","name":"n"}]}`,
			`"type":"chat","messages":[` + filled + `]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := must(t, decode(t, tt.in))
			before := string(c.AppendCanonical(nil))
			r, err := c.Render(Values{Variables: vars, Placeholders: lists})
			if err != nil {
				t.Fatal(err)
			}
			if got := string(r.AppendMembers(nil)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if r.Type() != c.Type() || r.Config() != c.Config() {
				t.Errorf("type %q, config %q", r.Type(), r.Config())
			}
			if r.Messages() != "" {
				if canonical, err := Canonicalize([]byte(r.Messages())); err != nil || string(canonical) != r.Messages() {
					t.Errorf("messages are not canonical: %s, %v", r.Messages(), err)
				}
			}
			if string(c.AppendCanonical(nil)) != before {
				t.Error("rendering changed the content")
			}
			// The limit is exact; a limit of 0 would be the default.
			if n := len(r.Text()) + len(r.Messages()); n > 1 {
				v := Values{Variables: vars, Placeholders: lists, Limit: n}
				if _, err := c.Render(v); err != nil {
					t.Errorf("limit %d: %v", n, err)
				}
				v.Limit--
				if _, err := c.Render(v); codeOf(err) != codeTooLarge {
					t.Errorf("%d bytes with a limit of %d: %v", n, v.Limit, err)
				}
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	text := must(t, Spec{Text: new("{{name}} {{tone}} {{ok}}")})
	chat := must(t, decode(t, `{"messages":[{"role":"u","content":"{{name}}"},{"type":"placeholder","name":"history"}]}`))
	list := func(s string) map[string]json.RawMessage { return map[string]json.RawMessage{"history": []byte(s)} }
	name := map[string]string{"name": "Ana"}
	for _, tt := range []struct {
		name string
		c    Content
		v    Values
		code string
		say  string
	}{
		{"all that miss are named", text, Values{Variables: map[string]string{"ok": "", "nmae": ""}}, codeInvalid, `The variables have no value: name, tone. Given: "nmae", "ok".`},
		{"one misses", text, Values{Variables: map[string]string{"ok": "", "name": ""}}, codeInvalid, "The variable has no value: tone."},
		{"both kinds", chat, Values{}, codeInvalid, "The variable has no value: name. The placeholder has no value: history."},
		{"a placeholder's value is no variable's", chat, Values{Variables: map[string]string{"name": "", "history": "x"}}, codeInvalid, "placeholder has no value: history"},
		{"null", chat, Values{Variables: name, Placeholders: list("null")}, codeInvalid, "placeholder has no value"},
		{"no list", chat, Values{Variables: name, Placeholders: list("{}")}, codeInvalid, "history is an object"},
		{"no JSON", chat, Values{Variables: name, Placeholders: list("[")}, codeInvalid, "not valid JSON"},
		{"no message", chat, Values{Variables: name, Placeholders: list(`[{"role":"u","content":""},{}]`)}, codeInvalid, "history[1] has no role"},
		{"a placeholder in one", chat, Values{Variables: name, Placeholders: list(`[{"type":"placeholder","name":"history"}]`)}, codeInvalid, "is a placeholder itself"},
		{"invalid UTF-8", chat, Values{Variables: map[string]string{"name": "\xff"}, Placeholders: list(`[]`)}, codeInvalid, "value of name is not valid UTF-8"},
		{"NUL", text, Values{Variables: map[string]string{"name": "\x00", "tone": "", "ok": ""}}, codeInvalid, "U+0000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.c.Render(tt.v)
			wantError(t, err, tt.code, tt.say)
			if r != (Rendered{}) {
				t.Errorf("got %+v beside the error", r)
			}
		})
	}
}

// TestRenderLimit: a value that stands very often does not take all memory.
func TestRenderLimit(t *testing.T) {
	many := strings.Repeat("{{a}}", 100_000)
	v := Values{Variables: map[string]string{"a": strings.Repeat("x", 1<<20)}}
	_, err := must(t, Spec{Text: &many}).Render(v)
	wantError(t, err, codeTooLarge, "16777216")
	messages, _ := json.Marshal([]any{map[string]string{"role": "u", "content": many}})
	_, err = must(t, Spec{Messages: messages}).Render(v)
	wantError(t, err, codeTooLarge, "16777216")

	v = Values{Variables: map[string]string{"a": "xy"}, Limit: -1}
	if r, err := must(t, Spec{Text: &many}).Render(v); err != nil || len(r.Text()) != 200_000 {
		t.Errorf("%d bytes, %v", len(r.Text()), err)
	}
}
