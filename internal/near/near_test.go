package near

import (
	"slices"
	"testing"
)

func TestClosest(t *testing.T) {
	all := []string{"code/review", "production", "staging", "support/reply", "support/triage", "qa"}
	for typed, want := range map[string]string{
		"producton": "production", "porduction": "production", "production2": "production", "prod": "production", "stagin": "staging",
		"Support/triage": "support/triage", "support/traige": "support/triage", "supprot/trigae": "support/triage", "support/tirages": "support/triage",
		"qb": "", "": "", "x": "", "canary": "", "pr": "", "review": "", "production": "",
	} {
		if got := Closest(typed, slices.Values(all)); got != want {
			t.Errorf("for %q it is %q, want %q", typed, got, want)
		}
	}
	if got := Closest("label-5", slices.Values([]string{"label-50", "label-4", "lable-4"})); got != "label-50" {
		t.Errorf("of two that are as near it is %q, want the first", got)
	}
	n := 0
	Closest("label", func(yield func(string) bool) {
		for yield("another") {
			n++
		}
	})
	if n != Most {
		t.Errorf("it looks at %d names, want %d", n, Most)
	}
}
