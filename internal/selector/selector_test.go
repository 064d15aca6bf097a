package selector_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
	"github.com/stet-dev/stet/internal/visible"
)

// describe says what a selector is, with every accessor that has an answer.
func describe(s selector.Selector) string {
	d := []string{[...]string{"current", "latest", "exact", "label", "range", "ordinal", "digest"}[s.Kind()]}
	if !s.Number().IsZero() {
		d = append(d, s.Number().String())
	}
	if s.Label() != "" {
		d = append(d, s.Label())
	}
	if r := s.Range(); r.String() != "" {
		d = append(d, r.String())
	}
	if s.Ordinal() != 0 {
		d = append(d, "#"+stet.NewNumber(s.Ordinal(), 0, 0).String())
	}
	if s.Digest() != "" {
		d = append(d, s.Digest())
	}
	return strings.Join(d, " ")
}

func TestParse(t *testing.T) {
	digest := strings.Repeat("0123456789abcdef", 4)
	for _, tt := range []struct{ in, want string }{
		{"", "current"},
		{"current", "current"},
		{"latest", "latest"},
		{"1.2.3", "exact 1.2.3"},
		{"0.0.0", "exact 0.0.0"},
		{"1.2.3-rc.1", "exact 1.2.3-rc.1"},
		{"production", "label production"},
		{"latest-2", "label latest-2"},
		{"xyz", "label xyz"},
		{"v", "label v"},
		{"sha256", "label sha256"},
		{"1", "range 1"},
		{"1.2", "range 1.2"},
		{"1.x", "range 1.x"},
		{"x", "range x"},
		{"X.x", "range X.x"},
		{"*", "range *"},
		{"^1.2", "range ^1.2"},
		{"~1.2.3", "range ~1.2.3"},
		{"=1.2.3", "range =1.2.3"},
		{">=1 <2", "range >=1 <2"},
		{"1.2 - 1.4", "range 1.2 - 1.4"},
		{"1.2.3||2", "range 1.2.3||2"},
		{"x || 1", "range x || 1"},
		{">2 <1", "range >2 <1"},
		{"#1", "ordinal #1.0.0"},
		{"#12", "ordinal #12.0.0"},
		{"#9223372036854775807", "ordinal #9223372036854775807.0.0"},
		{"sha256:01234567", "digest 01234567"},
		{"sha256:0123456789a", "digest 0123456789a"},
		{"sha256:ABCDEF01", "digest abcdef01"},
		{"sha256:" + digest, "digest " + digest},
	} {
		s, err := selector.Parse(tt.in)
		if err != nil || describe(s) != tt.want {
			t.Errorf("Parse(%q) is %s, %v; want %s", tt.in, describe(s), err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const kinds = "A selector is a number (1.2.3), a label (production), latest, current, a range (^1.2), an ordinal (#12) or sha256: and at least 8 hex digits."
	for _, tt := range []struct{ in, want string }{
		{"1.2.x.4", `"1.2.x.4" is not a range: it has 4 parts. A number has three. ` + kinds},
		{"Production", `"Production" is not a label: it begins with "P".`},
		{"prod@1", `"@" at byte 4 is not allowed.`},
		{"a/b", kinds},
		{"Latest", `"Latest" is not a selector. Write latest, in lower case.`},
		{"CURRENT", `Write current, in lower case.`},
		{"v1.2", `"v1.2" is not a selector: numbers are written without the v. Write 1.2.`},
		{"V1.2.3-rc", `Write 1.2.3-rc.`},
		{"v1abc", `it looks like the number of a version.`},
		{"1.2.3+5", `equal precedence. Write 1.2.3. ` + kinds},
		{"1.2-rc", `Write 1.2.0-rc. ` + kinds},
		{"01.2.3", `it has a leading zero. Leave it out. ` + kinds},
		{" production", `it has white space at an end. Leave it out.`},
		{"1.2.3\n", `"1.2.3\n" is not a selector: it has white space at an end.`},
		{"my label", `"my label" is not a selector: only a range has spaces. If my is meant, write it alone.`},
		{"staging # note", `If staging is meant, write it alone.`},
		{"1.0.0 #1", `If 1.0.0 is meant, write it alone.`},
		{"My label", `is not a`},
		{"x.y", `"x.y" is not a range`},
		{"#0", `the first version of a prompt is #1.`},
		{"#", `write # and a whole number from 1 on, such as #12.`},
		{"#-1", `write # and a whole number`},
		{"#012", `it has a leading zero. Write #12.`},
		{"#00", `"#00" is not an ordinal: the first version of a prompt is #1.`},
		{"#9223372036854775808", `it is over the limit of 9223372036854775807.`},
		{"sha256:0123456", `it has 7 hex digits; write the first 8 or more of the 64.`},
		{"sha256:" + strings.Repeat("0", 65), `it has 65 hex digits`},
		{"sha256:0123456g", `at byte 14 stands "g", which is not a hex digit.`},
		{"sha256:0123\u202e456", `stands "\u202e", which`},
		{"SHA256:01234567", `write sha256: in lower case.`},
		{strings.Repeat("a", 257), `is 257 bytes long; it may have 256.`},
		{strings.Repeat("a", 64), `it is 64 bytes long, and 63 are allowed. ` + kinds},
		{"\u202e", `it begins with "\u202e".`},
		{"\xff", `it begins with "\xff".`},
	} {
		s, err := selector.Parse(tt.in)
		if stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), tt.want) || s != (selector.Selector{}) {
			t.Errorf("Parse(%q):\n got  %v\n want %s", tt.in, err, tt.want)
		}
	}
}

func TestZero(t *testing.T) {
	var s selector.Selector
	if s.Kind() != selector.KindCurrent || s.String() != "current" || !s.Range().IsEmpty() {
		t.Errorf("the zero Selector is %s", describe(s))
	}
}

func TestSplitRef(t *testing.T) {
	for _, tt := range []struct {
		in, id, sel string
		has         bool
	}{
		{"support/triage", "support/triage", "", false},
		{"support/triage@^1", "support/triage", "^1", true},
		{"support/triage@", "support/triage", "", true},
		{"a@#12", "a", "#12", true},
		{"a#12", "a#12", "", false},
		{"a@b@c", "a@b", "c", true},
		{"@1", "", "1", true},
		{"", "", "", false},
	} {
		if id, sel, has := stet.SplitRef(tt.in); id != tt.id || sel != tt.sel || has != tt.has {
			t.Errorf("SplitRef(%q) is %q, %q, %t", tt.in, id, sel, has)
		}
	}
}

// TestSplitRefEverywhere has an @ at each place among bytes that differ from one in a bit.
func TestSplitRefEverywhere(t *testing.T) {
	near := []byte("A\xc0BDH`P\x00a")
	for length := range 40 {
		ref := make([]byte, length)
		for i := range ref {
			ref[i] = near[(i+length)%len(near)]
		}
		for at := -1; at < length; at++ {
			for earlier := -1; earlier <= max(at-1, -1); earlier++ {
				with := slices.Clone(ref)
				for _, i := range []int{at, earlier} {
					if i >= 0 {
						with[i] = '@'
					}
				}
				in := string(with)
				id, sel := in, ""
				if at >= 0 {
					id, sel = in[:at], in[at+1:]
				}
				if gotID, gotSel, has := stet.SplitRef(in); gotID != id || gotSel != sel || has != (at >= 0) {
					t.Fatalf("SplitRef(%q) is %q, %q, %t", in, gotID, gotSel, has)
				}
			}
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	if got := testing.AllocsPerRun(100, func() {
		for _, s := range []string{"", "latest", "current", "production", "1.2.3", "#12", "sha256:01234567"} {
			if _, err := selector.Parse(s); err != nil {
				t.Error(err)
			}
		}
		stet.SplitRef("support/triage@^1")
	}); got != 0 {
		t.Errorf("Parse allocates %v times", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		s, err := selector.Parse(text)
		if err != nil {
			if stet.CodeOf(err) != stet.CodeInvalid || s != (selector.Selector{}) {
				t.Fatalf("Parse(%q) is %s, %v", text, s, err)
			}
			if msg := err.Error(); !utf8.ValidString(msg) || visible.Text(msg) != msg {
				t.Fatalf("Parse(%q) has an error that is not fit to print: %q", text, msg)
			}
			return
		}
		again, err := selector.Parse(s.String())
		if err != nil || describe(again) != describe(s) {
			t.Fatalf("Parse(%q) is %s, and read back %s, %v", text, describe(s), describe(again), err)
		}
		// One meaning only.
		n, errNumber := stet.ParseNumber(text)
		if (errNumber == nil) != (s.Kind() == selector.KindExact) || n != s.Number() {
			t.Fatalf("Parse(%q) is %s, and as a number %v", text, describe(s), errNumber)
		}
		if (stet.CheckLabel(text) == nil) != (s.Kind() == selector.KindLabel) {
			t.Fatalf("Parse(%q) is %s, and as a label %v", text, describe(s), stet.CheckLabel(text))
		}
		if _, err := selector.ParseRange(text); (err == nil) != (s.Kind() == selector.KindRange || s.Kind() == selector.KindExact) {
			t.Fatalf("Parse(%q) is %s, and as a range %v", text, describe(s), err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{"production", "1.2.3", "#12", "^1.2"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := selector.Parse(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
