package stet_test

import (
	stdjson "encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

func version(t *testing.T, spec content.Spec) stet.Version {
	t.Helper()
	c, err := content.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return stet.NewVersion(&stet.VersionFields{
		PromptID: "a/ключ", Number: stet.MustParseNumber("1.2.3-rc.1"), Ordinal: 7, Revision: 42, Digest: c.Digest(), Content: c,
		Metadata: `{"a":[1,{"b":"<&>"}]}`, Parents: []string{"b@1.0.0", "c@2.0.0"}, Author: "ana\u2028", Message: "why \"not\"",
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC),
	}, 42)
}

func ptr(s string) *string { return &s }

// What is written is read as it was, by either decoder.
func TestVersionRoundTrip(t *testing.T) {
	for _, spec := range []content.Spec{
		{Text: ptr("Hello {{name}} \u0001\u2028</b>&\r\n\t\"\\")},
		{Text: ptr("{{x}}"), Template: content.TemplateNone, Config: []byte(`{"m":1e-7,"z":null}`)},
		{Messages: []byte(`[{"role":"system","content":"{{a}}","x":1},{"type":"placeholder","name":"h"}]`)},
	} {
		v := version(t, spec)
		text := v.AppendJSON(nil)
		var one, two stet.Version
		if err := stet.Decode(strings.NewReader(string(text)), &one); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := stdjson.Unmarshal(text, &two); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, got := range []stet.Version{one, two} {
			if again := got.AppendJSON(nil); string(again) != string(text) {
				t.Errorf("it is read as\n%s\nand was\n%s", again, text)
			}
			if got.AsOf() != 42 || got.WithAsOf(50).AsOf() != 50 || got.AsOf() != 42 {
				t.Errorf("it is as of %d", got.AsOf())
			}
		}
	}
}

// Without its content a version is read with the same content, and with no other.
func TestVersionWithContent(t *testing.T) {
	v := version(t, content.Spec{Text: ptr("Hello {{name}}")})
	text := v.AppendJSONWithoutContent(nil)
	if strings.Contains(string(text), "Hello") || strings.Contains(string(text), "name\"]") {
		t.Errorf("it has the content: %s", text)
	}
	got, err := stet.VersionWithContent(text, v.Content())
	if err != nil || string(got.AppendJSON(nil)) != string(v.AppendJSON(nil)) {
		t.Errorf("it is read as\n%s, %v\nand was\n%s", got.AppendJSON(nil), err, v.AppendJSON(nil))
	}
	other := version(t, content.Spec{Text: ptr("Hello {{other}}")}).Content()
	for _, c := range []content.Content{other, {}} {
		if _, err := stet.VersionWithContent(text, c); stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), "digest") {
			t.Errorf("with another content the error is %v", err)
		}
	}
	for _, text := range []string{`null`, `{"prompt_id":"a","version":"1.0.0"}`, `[]`, ``} {
		if _, err := stet.VersionWithContent([]byte(text), v.Content()); err == nil {
			t.Errorf("%q is a version", text)
		}
	}
}

func TestVersionRefused(t *testing.T) {
	good := string(version(t, content.Spec{Text: ptr("Hello")}).AppendJSON(nil))
	for what, text := range map[string]string{
		"another text":       strings.Replace(good, `"text":"Hello"`, `"text":"Hallo"`, 1),
		"another config":     strings.Replace(good, `"config":{}`, `"config":{"a":1}`, 1),
		"another template":   strings.Replace(good, `"template":"{{}}"`, `"template":"none"`, 1),
		"another type":       strings.Replace(good, `"type":"text"`, `"type":"chat"`, 1),
		"no text":            strings.Replace(good, `"text":"Hello",`, ``, 1),
		"metadata no object": strings.Replace(good, `"metadata":{`, `"metadata":[],"x":{`, 1),
		"a bad number":       strings.Replace(good, `1.2.3-rc.1`, `1.2`, 1),
		"not UTF-8":          strings.Replace(good, "Hello", "H\xff", 1),
		"a member twice":     strings.Replace(good, `"ordinal":7`, `"ordinal":7,"ordinal":8`, 1),
		"a list":             `[]`,
		"half":               good[:len(good)/2],
	} {
		if text == good {
			t.Fatalf("%s is not another", what)
		}
		v := version(t, content.Spec{Text: ptr("before")})
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s is taken", what)
		}
		if v.Text() != "before" {
			t.Errorf("%s: the value was changed", what)
		}
	}
	// What a later stet may add is an error only to who asks for that.
	more := strings.Replace(good, `{`, `{"later":1,`, 1)
	var v stet.Version
	if err := json.Unmarshal([]byte(more), &v); err != nil || v.Text() != "Hello" {
		t.Errorf("with a member more: %v", err)
	}
	if err := stet.Decode(strings.NewReader(more), &v); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("with a member more, strictly: %v", err)
	}
	if err := json.Unmarshal([]byte(`null`), &v); err != nil || !v.IsZero() {
		t.Errorf("null: %v", err)
	}
}

func TestChangeRoundTrip(t *testing.T) {
	v := version(t, content.Spec{Text: ptr("Hello")})
	n := v.Number()
	moves := []stet.LabelChange{{Label: "production", From: stet.MustParseNumber("1.0.0"), To: n}}
	want := stet.Change{
		Revision: 42, ID: "id", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Author: "ana", Message: "m\n", Fingerprint: "f", Hash: stet.Hash{1, 2},
		Ops: []stet.ChangeOp{
			{Save: &stet.SaveChange{PromptID: "a", Version: n, Ordinal: 3, Digest: v.Digest(), Seal: stet.Hash{3}, Bump: "minor", Reason: "r", Labels: moves}},
			{Save: &stet.SaveChange{PromptID: "a", Version: n, Ordinal: 3, Digest: v.Digest(), Unchanged: true}},
			{Delete: &stet.DeleteChange{PromptID: "a", Version: n, Deleted: 1, Labels: moves}},
			{SetLabel: &stet.LabelChange{PromptID: "a", Label: "l", To: n}},
			{RemoveLabel: &stet.LabelChange{PromptID: "a", Label: "l", From: n}},
			{Rollback: &stet.LabelChange{PromptID: "a", Label: "l", From: n, To: n}},
			{Clear: &stet.Clear{}},
		},
	}
	text, err := want.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var got, std stet.Change
	if err := stet.Decode(strings.NewReader(string(text)), &got); err != nil {
		t.Fatal(err)
	}
	if err := stdjson.Unmarshal(text, &std); err != nil {
		t.Fatal(err)
	}
	for _, c := range []stet.Change{got, std} {
		if !reflect.DeepEqual(c, want) {
			t.Errorf("it is read as\n%+v\nand was\n%+v", c, want)
		}
	}
	want.Ops[0].Save.Content = &v
	text, _ = want.MarshalJSON()
	if err := stet.Decode(strings.NewReader(string(text)), &got); err != nil || got.Ops[0].Save.Content == nil || got.Ops[0].Save.Content.Text() != "Hello" {
		t.Errorf("with its text it is %+v, %v", got.Ops[0].Save, err)
	}
	text = []byte(strings.Replace(string(text), `"text":"Hello"`, `"text":"Hallo"`, 1))
	if err := stet.Decode(strings.NewReader(string(text)), &got); stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), "digest") {
		t.Errorf("with another text: %v", err)
	}
}

// A created_at that is given is kept or refused, never taken for none.
func TestDraftCreatedAt(t *testing.T) {
	for in, want := range map[string]string{
		`{"prompt_id":"a","text":"x"}`:                                                   "",
		`{"prompt_id":"a","text":"x","created_at":null}`:                                 "",
		`{"prompt_id":"a","text":"x","created_at":"1969-07-20T20:17:40+02:00"}`:          "1969-07-20T18:17:40.000000Z",
		`{"prompt_id":"a","text":"x","created_at":"0001-01-01T00:00:00.000001Z"}`:        "0001-01-01T00:00:00.000001Z",
		`{"prompt_id":"a","text":"x","created_at":"0001-01-01T00:00:00Z"}`:               "invalid",
		`{"prompt_id":"a","text":"x","created_at":"0001-01-01T01:00:00+01:00"}`:          "invalid",
		`{"prompt_id":"a","text":"x","created_at":""}`:                                   "invalid",
		`{"prompt_id":"a","text":"x","created_at":"10000-01-01T00:00:00Z"}`:              "invalid",
		`{"prompt_id":"a","text":"x","created_at":"2026-01-01T00:00:00Z","creatd_at":1}`: "invalid",
	} {
		var d stet.Draft
		got := ""
		if err := stet.Decode(strings.NewReader(in), &d); err != nil {
			got = string(stet.CodeOf(err))
		} else if !d.CreatedAt.IsZero() {
			got = stet.FormatTime(d.CreatedAt)
		}
		if got != want {
			t.Errorf("%s gives %q, and should give %q", in, got, want)
		}
		var op stet.Op
		if err := stet.Decode(strings.NewReader(`{"save":`+in+`}`), &op); string(stet.CodeOf(err)) != want && (want == "invalid" || err != nil) {
			t.Errorf("as an operation %s gives %v", in, err)
		}
	}
}
