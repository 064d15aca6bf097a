package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/transfer"
	"github.com/stet-dev/stet/memory"
)

func open(t testing.TB) *stet.Store {
	t.Helper()
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r, err := s.Verify(context.Background(), stet.VerifyOptions{}); err != nil || !r.OK() {
			t.Errorf("verify: %v, %v", r.Problems, err)
		}
		s.Close()
	})
	return s
}

func importAll(t testing.TB, s *stet.Store, r io.Reader) transfer.Summary {
	t.Helper()
	sum, err := transfer.Import(t.Context(), s, r, transfer.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// state is all that a caller can see of a store but revisions.
func state(t testing.TB, s *stet.Store) string {
	t.Helper()
	var b strings.Builder
	put := func(v any) {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		delete(m, "revision")
		delete(m, "as_of")
		line, _ = json.Marshal(m)
		b.Write(append(line, '\n'))
	}
	for h, err := range s.Prompts(t.Context(), stet.PromptsOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		put(h)
		for v, err := range s.List(t.Context(), h.PromptID, stet.ListOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			put(v)
		}
		for _, l := range slices.Sorted(maps.Keys(h.Labels)) {
			for m, err := range s.History(t.Context(), h.PromptID, l, stet.HistoryOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				put(m)
			}
		}
	}
	return b.String()
}

// sameState fails with the first line in which two states differ.
func sameState(t testing.TB, got, want string) {
	t.Helper()
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("there is\n%s\nwant\n%s", a[i], b[i])
		}
	}
	if len(a) != len(b) {
		t.Fatalf("there are %d lines, want %d", len(a), len(b))
	}
}

// lines returns n drafts of some prompts, with texts that come back.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"prompt_id":"p/%d","text":"text %d","message":"%d"}`+"\n", i%7, i/7%3, i)
	}
	return b.String()
}

func TestImportKeepsTheOrderOfAPrompt(t *testing.T) {
	s := open(t)
	if sum := importAll(t, s, strings.NewReader(lines(700))); sum.Versions != 700 || sum.Prompts != 7 || sum.Lines != 700 {
		t.Fatalf("%+v", sum)
	}
	for p := range 7 {
		i := p
		for v, err := range s.List(t.Context(), fmt.Sprintf("p/%d", p), stet.ListOptions{Ascending: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if v.Message() != fmt.Sprint(i) {
				t.Fatalf("%s is line %s, want %d", v.Ref(), v.Message(), i)
			}
			i += 7
		}
	}
}

// An import that is stopped anywhere, in whatever way, is finished by running it
// again, and looks as if it had never been stopped.
func TestImportGoesOn(t *testing.T) {
	all := lines(60)
	whole := open(t)
	importAll(t, whole, strings.NewReader(all))
	for cut := 0; cut <= len(all); cut += 97 {
		s := open(t)
		r := io.MultiReader(strings.NewReader(all[:cut]), errReader{})
		if _, err := transfer.Import(t.Context(), s, r, transfer.ImportOptions{}); !errors.Is(err, errBroken) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		importAll(t, s, strings.NewReader(all))
		if sum := importAll(t, s, strings.NewReader(all)); sum.Versions != 0 || sum.Already != 60 {
			t.Fatalf("cut at %d: %+v", cut, sum)
		}
		for p := range 7 {
			id := fmt.Sprintf("p/%d", p)
			a, _ := whole.ListPage(t.Context(), id, stet.ListOptions{})
			b, _ := s.ListPage(t.Context(), id, stet.ListOptions{})
			if len(a.Items) != len(b.Items) {
				t.Fatalf("cut at %d: %s has %d versions, want %d", cut, id, len(b.Items), len(a.Items))
			}
			for i := range a.Items {
				if a.Items[i].Ref() != b.Items[i].Ref() || a.Items[i].Digest() != b.Items[i].Digest() {
					t.Fatalf("cut at %d: %s, want %s", cut, b.Items[i].Ref(), a.Items[i].Ref())
				}
			}
		}
	}
}

var errBroken = errors.New("the pipe broke")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errBroken }

func TestImportStopsWhenItIsTold(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	sum, err := transfer.Import(ctx, s, strings.NewReader(lines(700)), transfer.ImportOptions{
		Progress: func(n int, _ int64) {
			if n == 100 {
				cancel()
			}
		},
	})
	if stet.CodeOf(err) != stet.CodeUnavailable || sum.Versions != 100 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if sum := importAll(t, s, strings.NewReader(lines(700))); sum.Versions != 600 || sum.Already != 100 {
		t.Fatalf("%+v", sum)
	}
}

func TestExportComesOutAsItWas(t *testing.T) {
	examples, err := os.ReadFile("../../examples/prompts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	history := `{"ops":[{"set_label":{"prompt_id":"code/review","label":"beta","version":"1.0.0"}}]}
{"ops":[{"set_label":{"prompt_id":"code/review","label":"beta","version":"^1"}},{"rollback":{"prompt_id":"code/review","label":"beta"}}]}
{"author":"ana","message":"\u2028 <b>&","ops":[{"delete":{"prompt_id":"code/review","version":"1.0.0","force":true}}]}
{"ops":[{"save":{"prompt_id":"odd","text":"\u0001\ud83d\ude00\u2028</b>&\\u","config":{"a":[1e-7,1.0,"é"]},"metadata":{"b":{"z":1,"a":null}},"created_at":"2020-01-01T00:00:00.1234567+02:00"}}]}
{"ops":[{"remove_label":{"prompt_id":"support/triage","label":"staging"}},{"delete":{"prompt_id":"sales/cold-email","force":true}}]}
{"ops":[{"save":{"prompt_id":"odd","text":"again","version":"0.1.0-rc.1","labels":["a","b"]}},{"save":{"prompt_id":"odd","text":"again","if_changed":true}}]}
`
	s := open(t)
	importAll(t, s, io.MultiReader(bytes.NewReader(examples), strings.NewReader(history)))
	var out bytes.Buffer
	if _, err := transfer.Export(t.Context(), s, &out, nil); err != nil {
		t.Fatal(err)
	}
	want := state(t, s)
	all := strings.SplitAfter(out.String(), "\n")
	for cut := range all {
		c := open(t)
		_, err := transfer.Import(t.Context(), c, strings.NewReader(strings.Join(all[:cut], "")), transfer.ImportOptions{})
		if whole := cut == 0 || cut >= len(all)-1; (err == nil) != whole {
			t.Fatalf("the first %d lines: %v", cut, err)
		}
		importAll(t, c, strings.NewReader(out.String()))
		sameState(t, state(t, c), want)
	}
	c := open(t)
	importAll(t, c, strings.NewReader(out.String()))
	var again bytes.Buffer
	if _, err := transfer.Export(t.Context(), c, &again, nil); err != nil {
		t.Fatal(err)
	}
	d := open(t)
	importAll(t, d, &again)
	sameState(t, state(t, d), want)
}

// What was saved in the commit that cleared the store belongs to it.
func TestExportAfterAClearThatSaves(t *testing.T) {
	s := open(t)
	importAll(t, s, strings.NewReader(lines(3)+`{"ops":[{"save":{"prompt_id":"a","text":"gone"}},{"clear":{}},{"save":{"prompt_id":"a","text":"kept"}}]}
{"ops":[{"set_label":{"prompt_id":"a","label":"production","version":"1.0.0"}}]}
`))
	var out bytes.Buffer
	if _, err := transfer.Export(t.Context(), s, &out, nil); err != nil {
		t.Fatal(err)
	}
	c := open(t)
	importAll(t, c, &out)
	sameState(t, state(t, c), state(t, s))
}

func TestSummaryNamesTheFirstFailure(t *testing.T) {
	s := open(t)
	in := lines(50) + `{"prompt_id":"p/0","text":"x","expect":"9.9.9"}` + "\n" + lines(50)
	sum, err := transfer.Import(t.Context(), s, strings.NewReader(in), transfer.ImportOptions{})
	if stet.CodeOf(err) != stet.CodeConflict || sum.Failed != 51 || sum.Lines-sum.After != 50 {
		t.Fatalf("%+v, %v", sum, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"prompt_id":"a","text":"b"}`, `{"prompt_id":"a","messages":[{"role":"r","content":"c"}],"created_at":"2026-01-01T00:00:00Z"}`,
		`{"ops":[{"set_label":{"prompt_id":"a","label":"l","version":"1.0.0"}}]}`, `{"stet_export":1,"store_id":"x","epoch":1,"revision":3}`,
		`{"stet_export_end":1,"changes":3}`, `{"ops":[{"clear":{}}],"revision":1}`, `{"ops":[{}],"revision":1}`, `[]`, `{`, `{"a":1,}`, `{"ops":null,"revision":null}`,
		`{"revision":1,"id":"i","time":"2026-01-01T00:00:00Z","ops":[{"save":{"prompt_id":"a","version":"1.0.0","ordinal":1,"digest":"sha256:b77f10947dc7bf1852903a87665f6ff726d3ec79c811a2e0b510159e463e41ce","content":{"prompt_id":"a","version":"1.0.0","type":"text","text":"Hello"}}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := transfer.Parse(line)
		if err != nil {
			if stet.CodeOf(err) == stet.CodeInternal {
				t.Fatalf("an error of another type: %v", err)
			}
			if !reflect.ValueOf(l).IsZero() {
				t.Fatal("an error and a line")
			}
			return
		}
		// What is read can be imported or refused, and leaves a sound store.
		s := open(t)
		_, err = transfer.Import(t.Context(), s, bytes.NewReader(line), transfer.ImportOptions{})
		if code := stet.CodeOf(err); code == stet.CodeInternal || code == stet.CodeUnknown {
			t.Fatal(err)
		}
	})
}

// counted is a log that counts what is appended at once.
type counted struct {
	driver.Log
	appends int
}

func (l *counted) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	l.appends++
	return l.Log.Append(ctx, prev, entries)
}

// The changes of an export share appends: the first goes alone, the others together.
// A line that is none ends it, and those before it are kept.
func TestImportOfAnExportSharesAppends(t *testing.T) {
	from := open(t)
	for i := range 300 {
		if _, err := from.Save(t.Context(), stet.Draft{PromptID: fmt.Sprint("p", i%3), Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	var export bytes.Buffer
	if _, err := transfer.Export(t.Context(), from, &export, nil); err != nil {
		t.Fatal(err)
	}
	log := &counted{Log: memory.New()}
	to, err := core.Open(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	lines := bytes.SplitAfter(export.Bytes(), []byte("\n"))
	broken := append(bytes.Join(lines[:201], nil), "{}\n"...)
	sum, err := transfer.Import(t.Context(), to, bytes.NewReader(broken), transfer.ImportOptions{})
	if sum.Lines != 200 || sum.Failed != 202 || stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("with a broken line: %+v, %v", sum, err)
	}
	if log.appends != 2 {
		t.Errorf("200 changes took %d appends", log.appends)
	}
	sum = importAll(t, to, &export)
	if sum.Already != 200 || sum.Versions != 100 || log.appends != 3 {
		t.Errorf("gone on: %+v, after %d appends", sum, log.appends)
	}
	if got, want := state(t, to), state(t, from); got != want {
		t.Errorf("the copy is\n%s\nand was\n%s", got, want)
	}
}
