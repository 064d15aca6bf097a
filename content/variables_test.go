package content

import (
	"slices"
	"strings"
	"testing"
)

func TestVariables(t *testing.T) {
	long := strings.Repeat("n", MaxName)
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"none", nil},
		{"{{a}}", []string{"a"}},
		{"{{ a }}{{\ta\n}}{{\u00a0a\u3000}}", []string{"a"}},
		{"{{b}}{{a}}{{b}}", []string{"a", "b"}},
		{"{{user.name}} {{user-name}} {{_x1}} {{X}}", []string{"X", "_x1", "user-name", "user.name"}},
		{"{{имя}} {{名前}} {{e\u0301te}} {{a٣}}", []string{"a٣", "e\u0301te", "имя", "名前"}},
		{"{{{a}}}", []string{"a"}},
		{"{{{{a}}}}", []string{"a"}},
		{"{{a}}}", []string{"a"}},
		{"{{x {{a}}", []string{"a"}},
		{"{{a}{{b}}", []string{"b"}},
		{"{{" + long + "}}", []string{long}},
		{"{{" + long + "n}}", nil},
		{"{{" + strings.Repeat("é", 64) + "}}", []string{strings.Repeat("é", 64)}},
		{"{{" + strings.Repeat("é", 65) + "}}", nil},
		{"{{}} {{ }} {{1}} {{.a}} {{-a}} {{\u0301a}} {{a b}} {{a}x} {{ a } } { {a}} {{#if a}} {{/a}} {{> a}} {{a|b}} {{a()}} {{a:b}}", nil},
		{"{{a\u200b}}", nil},
		{"{{a", nil},
		{"{{a}", nil},
		{"{{", nil},
	} {
		c := must(t, Spec{Text: new("x" + tt.in)})
		if got := slices.Collect(c.Variables()); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestVariablesLinear: texts that only look like templates take no time worth
// mentioning; a search that went back would not end.
func TestVariablesLinear(t *testing.T) {
	const n = 1 << 20
	for _, s := range []string{
		strings.Repeat("{", n), strings.Repeat("{{ ", n), "{{" + strings.Repeat(" ", n) + "x", "{{" + strings.Repeat("n", n),
		strings.Repeat("{{a", n), strings.Repeat("{{a}}", n),
	} {
		must(t, Spec{Text: &s, Limit: -1})
	}
}

// TestVariablesCannotBeChanged: an iterator gives strings and nothing else.
func TestVariablesCannotBeChanged(t *testing.T) {
	c := must(t, Spec{Text: new("{{a}}{{b}}")})
	for range c.Variables() {
		break // stopping early is allowed
	}
	if got := slices.Collect(c.Variables()); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
}
