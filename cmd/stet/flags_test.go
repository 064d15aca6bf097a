package main

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi"
)

// helper is a verb that has examples.
type helper interface{ Help() string }

// eachVerb calls f with each verb, and the words that name it.
func eachVerb(n *kong.Node, words []string, f func(n *kong.Node, words []string)) {
	for _, child := range n.Children {
		if !child.Hidden {
			f(child, append(words[:len(words):len(words)], child.Name))
			eachVerb(child, append(words[:len(words):len(words)], child.Name), f)
		}
	}
}

// shellWords splits a line of a help text as a shell would: at spaces outside quotes, up
// to a comment, a pipe, a redirection or another command.
func shellWords(line string) []string {
	var list []string
	word, quote, inside := "", rune(0), false
	flush := func() {
		if inside {
			list = append(list, word)
		}
		word, inside = "", false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ':
			flush()
		case strings.ContainsRune("|&<>", r), r == '#' && !inside, r == ')' && !inside:
			flush()
			return list
		default:
			word, inside = word+string(r), true
		}
	}
	flush()
	return list
}

// Every command that a help text shows is one that stet takes.
func TestExamplesOfHelp(t *testing.T) {
	n := 0
	eachVerb(newParser(new(cli)).Model.Node, nil, func(verb *kong.Node, name []string) {
		h, ok := verb.Target.Addr().Interface().(helper)
		if !ok {
			if len(verb.Children) > 0 {
				return
			}
			t.Errorf("stet %s has no help", strings.Join(name, " "))
			return
		}
		for line := range strings.Lines(h.Help()) {
			line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " # ") // what is said of the example
			for rest := line; ; {
				_, command, found := strings.Cut(rest, "stet ")
				if !found || !strings.HasPrefix(line, "    ") {
					break
				}
				n++
				args := shellWords(command)
				for i := range args {
					args[i] = strings.TrimSuffix(args[i], ")")
				}
				if _, err := newParser(new(cli)).Parse(joinNegatives(args)); err != nil {
					t.Errorf("stet %s --help shows\n    %s\nand that is refused: %v", strings.Join(name, " "), strings.TrimSpace(line), err)
				}
				rest = command
			}
		}
	})
	if n < 60 {
		t.Errorf("there are %d examples; where are the others?", n)
	}
}

// A number below zero is taken by each flag of numbers as it is written, after a space
// as after a =; what the verb says to it is another matter.
func TestNegativeNumbers(t *testing.T) {
	n := 0
	eachVerb(newParser(new(cli)).Model.Node, nil, func(verb *kong.Node, name []string) {
		for _, f := range verb.Flags {
			kind := f.Target.Type()
			if kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			if k := kind.Kind(); k != reflect.Int && k != reflect.Int64 && k != reflect.Float64 || !verb.Leaf() || kind == reflect.TypeFor[slog.Level]() {
				continue
			}
			value := "-1"
			if kind.String() == "time.Duration" {
				value = "-1s"
			}
			args := append(name[:len(name):len(name)], "--"+f.Name, value)
			for _, p := range verb.Positional {
				if p.Required {
					args = append(args, "x")
				}
			}
			n++
			if _, err := newParser(new(cli)).Parse(joinNegatives(args)); err != nil && !strings.Contains(err.Error(), "missing flags") {
				t.Errorf("stet %s: %v", strings.Join(args, " "), err)
			}
		}
	})
	if n < 10 {
		t.Errorf("%d flags of numbers were found", n)
	}
}

func TestJoinNegatives(t *testing.T) {
	for in, want := range map[string]string{
		"serve --rate -1":             "serve --rate=-1",
		"serve --rate -.5":            "serve --rate=-.5",
		"log a -n -1":                 "log a -n-1",
		"serve --rate=-1 --max-body":  "serve --rate=-1 --max-body",
		"serve --rate - -1":           "serve --rate - -1",
		"save a -m -1":                "save a -m-1",
		"save a -m -f text":           "save a -m -f text",
		"save -- --rate -1":           "save -- --rate -1",
		"__complete 2 stet serve - -": "__complete 2 stet serve - -",
		"__complete stet --rate -1":   "__complete stet --rate -1",
		"":                            "",
	} {
		if got := strings.Join(joinNegatives(strings.Fields(in)), " "); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

// What a flag of serve may be: -1 takes a bound away where the help says so, and a
// bound of nothing is refused, and not taken for the usual one.
func TestServeBounds(t *testing.T) {
	for flag, refused := range map[string]string{
		"--rate 5":             "",
		"--rate -1":            "",
		"--rate 0.25":          "",
		"--rate 0":             "--rate is 0",
		"--rate -2":            "--rate is -2",
		"--rate NaN":           "--rate is NaN",
		"--rate +Inf":          "--rate is +Inf",
		"--max-requests -1":    "",
		"--max-requests 1":     "",
		"--max-requests 0":     "--max-requests is 0",
		"--max-requests -7":    "--max-requests is -7",
		"--max-streams -1":     "",
		"--max-streams 0":      "--max-streams is 0",
		"--max-body 1":         "",
		"--max-body 0":         "--max-body is 0",
		"--max-body -1":        "--max-body is -1",
		"--max-connections 9":  "",
		"--max-connections 0":  "--max-connections is 0",
		"--max-connections -1": "--max-connections is -1",
		"--grace 0s":           "",
		"--grace -1s":          "--grace is -1s",
		"--log-level debug":    "",
		"--max-requests 1e3":   "usage",
	} {
		var flags cli
		_, err := newParser(&flags).Parse(joinNegatives(append([]string{"serve"}, strings.Fields(flag)...)))
		if refused == "usage" {
			if err == nil {
				t.Errorf("%s is taken", flag)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", flag, err)
			continue
		}
		err = flags.Serve.check(&app{flags: &flags})
		switch {
		case refused == "" && err != nil:
			t.Errorf("%s is refused: %v", flag, err)
		case refused != "" && (stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), refused)):
			t.Errorf("%s: %v, want %q", flag, err, refused)
		}
	}
	var flags cli
	if _, err := newParser(&flags).Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	if l := flags.Serve.limits(); l != (httpapi.Limits{}) {
		t.Errorf("without flags the limits are not the usual ones: %+v", l)
	}
}
