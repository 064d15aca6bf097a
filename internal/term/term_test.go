package term

import (
	"bufio"
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func output(tty bool, width int) (*Output, *bytes.Buffer) {
	var b bytes.Buffer
	return &Output{Writer: bufio.NewWriter(&b), TTY: tty, Width: width}, &b
}

func TestTable(t *testing.T) {
	rows := func(o *Output) {
		table := Table{Out: o, Header: []string{"A", "LONG", "LAST"}}
		table.Row(Cell{Text: "x"}, Cell{Text: ""}, Cell{Text: "the message, which is long"})
		table.Row(Cell{Text: "日本"}, Cell{Text: "y\tz"}, Cell{Text: "a\nb\x1b"})
		table.Row(Cell{Text: "1"}, Cell{Text: "2"}, Cell{Text: ""})
		table.Flush()
		o.Flush()
	}
	o, b := output(true, 30)
	rows(o)
	want := "A     LONG  LAST\n" +
		"x           the message, whic…\n" +
		"日本  y\\tz  a\\nb\\x1b\n" +
		"1     2\n"
	if b.String() != want {
		t.Errorf("on a terminal:\n%s\nwant\n%s", b, want)
	}
	o, b = output(false, 0)
	rows(o)
	if want := "x\t\tthe message, which is long\n日本\ty\\tz\ta\\nb\\x1b\n1\t2\t\n"; b.String() != want {
		t.Errorf("in a pipe:\n%s\nwant\n%s", b, want)
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ in, tty string }{
		{"a", "a\n"}, {"a\n", "a\n"}, {"a\r\n", "a\\x0d\n"}, {"\u202ea\x1b[0m", "\\u202ea\\x1b[0m\n"},
	} {
		o, b := output(true, 80)
		o.Text(c.in)
		o.Flush()
		if b.String() != c.tty {
			t.Errorf("%q on a terminal is %q, want %q", c.in, b, c.tty)
		}
		o, b = output(false, 0)
		o.Text(c.in)
		o.Flush()
		if b.String() != c.in {
			t.Errorf("%q in a pipe is %q", c.in, b)
		}
	}
}

// JSON on a terminal is the same value, and nothing in it is obeyed.
func TestJSONStaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "text") + "\u202e\u007f\U000e0001"
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		escaped := escapeJSON(string(raw))
		var out string
		if err := json.Unmarshal([]byte(escaped), &out); err != nil || out != in {
			t.Fatalf("%q became %q: %v", in, out, err)
		}
		if Line(escaped) != escaped {
			t.Fatalf("%q has something hidden", escaped)
		}
	})
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-10 * time.Second: "just now", 0: "just now", 59 * time.Second: "59 seconds ago", 60 * time.Second: "1 minute ago",
		2 * time.Hour: "2 hours ago", 25 * time.Hour: "1 day ago", 72 * time.Hour: "3 days ago", 15 * 24 * time.Hour: "2 weeks ago",
		100 * 24 * time.Hour: "3 months ago", 800 * 24 * time.Hour: "2 years ago",
	} {
		if got := Ago(now, now.Add(-d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
