package diff

import (
	"bufio"
	"bytes"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stet-dev/stet/internal/term"
)

func colored(t interface{ Fatal(...any) }, before, after string) string {
	var b bytes.Buffer
	o := &term.Output{Writer: bufio.NewWriter(&b), TTY: true, Color: true}
	if err := Color(o, "old", "new", before, after); err != nil {
		t.Fatal(err)
	}
	o.Flush()
	return b.String()
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestColorMarksWords(t *testing.T) {
	got := colored(t, "same\nthe quick brown fox jumps\nend", "same\nthe quick red fox jumps\nend\n")
	for _, want := range []string{
		"\x1b[31;7mbrown\x1b[0m", "\x1b[32;7mred\x1b[0m", "\x1b[31mthe quick \x1b[0m", " same\n", `\ No newline at end of file`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%q", want, got)
		}
	}
}

// Texts that share little are shown whole, not as a patchwork.
func TestColorDoesNotMarkWhatIsAllNew(t *testing.T) {
	got := colored(t, "one two three four five\n", "alpha, beta and gamma\n")
	if strings.Contains(got, ";7m") {
		t.Errorf("%q", got)
	}
}

// Without its colours the diff for a person says what the plain one says.
func TestColorIsUnified(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a b c", "a x c", "{{v}}, ü 世界", "one two", "\tz"}), 0, 12).Draw(t, "lines")
			return strings.Join(lines, "\n") + rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end")
		})
		before, after := text.Draw(t, "before"), text.Draw(t, "after")
		plain := sgr.ReplaceAllString(colored(t, before, after), "")
		// Unified leaves out a count of 1, and Color orders the lines of a
		// change: those that went, then those that came.
		if got, want := body(plain), body(Unified("old", "new", before, after)); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// body is a diff's lines that are shown, by kind.
func body(d string) string {
	var kinds [3]strings.Builder
	for l := range strings.Lines(d) {
		if i := strings.IndexByte(" -+", l[0]); i >= 0 {
			kinds[i].WriteString(l)
		}
	}
	return kinds[0].String() + kinds[1].String() + kinds[2].String()
}

func TestWordsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := rapid.String().Draw(t, "before"), rapid.String().Draw(t, "after")
		old, new := words(before, after)
		if join(old) != before || join(new) != after {
			t.Fatalf("%q and %q came back as %q and %q", before, after, join(old), join(new))
		}
	})
}

func join(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}
