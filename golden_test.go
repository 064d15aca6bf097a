package stet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

var update = flag.Bool("update", false, "write the golden files and the example of docs/format.md anew")

// golden compares text with a file of testdata/golden, or writes it there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w, g := strings.SplitAfter(string(want), "\n"), strings.SplitAfter(got, "\n")
	for i := range max(len(w), len(g)) {
		var wl, gl string
		if i < len(w) {
			wl = w[i]
		}
		if i < len(g) {
			gl = g[i]
		}
		if wl != gl {
			t.Errorf("%s:%d: the form is another one than it was.\n got  %s want %s"+
				"If that is meant: make golden. (But log.txt and bodies.txt are what stores in the field have: see docs/format.md on versions of the form.)", file, i+1, gl, wl)
			return
		}
	}
}

// A recorder is a log that keeps what was appended to it.
type recorder struct {
	*memory.Log
	entries []driver.Entry
}

func (r *recorder) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	err := r.Log.Append(ctx, prev, entries)
	if err == nil {
		r.entries = append(r.entries, entries...)
	}
	return err
}

// session is a store with a clock and ids that are the same at every run, in
// which everything that a log can say was said.
type session struct {
	t     *testing.T
	store *stet.Store
	log   *recorder
	done  []stet.Done
}

func (s *session) commit(c string) {
	s.t.Helper()
	var req stet.Commit
	if err := stet.Decode(strings.NewReader(c), &req); err != nil {
		s.t.Fatalf("%s: %v", c, err)
	}
	done, err := s.store.Commit(s.t.Context(), req)
	if err != nil {
		s.t.Fatalf("%s: %v", c, err)
	}
	s.done = append(s.done, done)
}

// refused returns the error of a commit.
func (s *session) refused(c string) string {
	s.t.Helper()
	var req stet.Commit
	err := stet.Decode(strings.NewReader(c), &req)
	if err == nil {
		_, err = s.store.Commit(s.t.Context(), req)
	}
	if err == nil {
		s.t.Fatalf("%s: not refused", c)
	}
	return err.Error()
}

var firstCommits = []string{
	`{"author":"ana","message":"first draft","ops":[{"save":{"prompt_id":"greeting","text":"Hello, {{name}}."}}]}`,
	`{"id":"promote-1","author":"ben","ops":[{"set_label":{"prompt_id":"greeting","label":"production","version":"latest"}}]}`,
}

var furtherCommits = []string{
	// Everything that a draft can have.
	`{"id":"release-7","author":"ana","message":"warmer","ops":[
		{"save":{"prompt_id":"greeting","text":"Hello, dear {{name}}!\n","config":{"temperature":0.50,"model":"m"},"bump":"minor","expect":"1.0.0",
		 "labels":["production","staging"],"metadata":{"b":1,"a":"ü \" \\ \u0007 </p>"},"parents":["greeting@1.0.0"],"author":"eve","message":"by hand"}},
		{"save":{"prompt_id":"support/分诊","messages":[{"role":"system","content":"Sort {{ticket}}."},{"type":"placeholder","name":"history"}],
		 "version":"2.0.0-rc.1","created_at":"2020-02-29T23:59:59.1234567+02:00"}}]}`,
	// The store chooses the number and says why.
	`{"ops":[{"save":{"prompt_id":"greeting","text":"Hello, dear {{name}} of {{town}}!","template":"{{}}"}}]}`,
	`{"ops":[{"save":{"prompt_id":"greeting","text":"Hello, dear  {{name}} of {{town}}!","if_changed":true}}]}`,
	`{"ops":[{"save":{"prompt_id":"greeting","text":"{{name}} stays as it is","template":"none","version":"0.9.0"}}]}`,
	// Nothing is added, a label moves.
	`{"ops":[{"save":{"prompt_id":"greeting","text":"Hello, dear  {{name}} of {{town}}!","if_changed":true,"labels":["staging"]}}]}`,
	`{"author":"ben","message":"broken","ops":[{"rollback":{"prompt_id":"greeting"}}]}`,
	`{"ops":[{"remove_label":{"prompt_id":"greeting","label":"staging"}}]}`,
	`{"ops":[{"delete":{"prompt_id":"greeting","version":"2.0.0"}},{"delete":{"prompt_id":"nothing"}}]}`,
	`{"ops":[{"delete":{"prompt_id":"greeting","version":"1.0.0","force":true}}]}`,
}

var lastCommits = []string{
	`{"ops":[{"delete":{"prompt_id":"support/分诊"}}]}`,
	`{"id":"end","ops":[{"clear":{}}]}`,
	`{"ops":[{"save":{"prompt_id":"greeting","text":"Again."}}]}`,
}

func open(t *testing.T) *session {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	ids := 0
	s := &session{t: t, log: &recorder{Log: memory.New()}}
	var err error
	s.store, err = core.Open(t.Context(), s.log, &core.Options{
		Now:   func() time.Time { now = now.Add(time.Minute); return now },
		NewID: func() string { ids++; return fmt.Sprintf("01900000-0000-7000-8000-%012d", ids) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestGoldenLog holds the form of what is stored: the log, its hashes, and the
// bodies. docs/format.md describes it.
func TestGoldenLog(t *testing.T) {
	s := open(t)
	for _, c := range firstCommits {
		s.commit(c)
	}
	for _, c := range furtherCommits {
		s.commit(c)
	}
	for _, c := range lastCommits {
		s.commit(c)
	}
	var log, bodies strings.Builder
	for _, e := range s.log.entries {
		fmt.Fprintf(&log, "%x %s\n", e.Hash, e.Data)
		for _, b := range e.Bodies {
			fmt.Fprintf(&bodies, "revision %d, operation %d: %s@%s, ordinal %d\ntext   %q\nfields %s\nseal   %s\n\n",
				b.Revision, b.Op, b.PromptID, b.Version, b.Ordinal, b.Text, b.Fields, sealOf(t, e.Data, b))
		}
	}
	golden(t, "log.txt", log.String())
	golden(t, "bodies.txt", bodies.String())
}

// sealOf computes the seal of a body as docs/format.md says, and checks that the
// log has it.
func sealOf(t *testing.T, data []byte, b driver.Body) string {
	t.Helper()
	var entry struct {
		Ops []struct {
			Save struct{ Digest, Seal string }
		}
	}
	if err := json.Unmarshal(data, &entry); err != nil {
		t.Fatal(err)
	}
	save := entry.Ops[b.Op].Save
	digest, err := hex.DecodeString(strings.TrimPrefix(save.Digest, "sha256:"))
	if err != nil {
		t.Fatal(err)
	}
	seal := sha256.Sum256(append(digest, b.Fields...))
	if got := hex.EncodeToString(seal[:]); got != save.Seal {
		t.Errorf("revision %d, operation %d: the log has the seal %s, and docs/format.md leads to %s", b.Revision, b.Op, save.Seal, got)
	}
	return save.Seal
}

// TestGoldenChain computes the hashes of the golden log as docs/format.md says,
// without stet.
func TestGoldenChain(t *testing.T) {
	file, err := os.ReadFile("testdata/golden/log.txt")
	if err != nil {
		t.Fatal(err)
	}
	var previous [32]byte
	n := 0
	for line := range strings.Lines(string(file)) {
		want, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		previous = sha256.Sum256(append(previous[:], data...))
		if n++; hex.EncodeToString(previous[:]) != want {
			t.Fatalf("entry %d has the hash %s, and docs/format.md leads to %x", n, want, previous)
		}
	}
	if n == 0 {
		t.Error("the golden log is empty")
	}
}

// TestGoldenExample writes and checks the worked example of docs/format.md: the
// first two entries.
func TestGoldenExample(t *testing.T) {
	s := open(t)
	for _, c := range firstCommits {
		s.commit(c)
	}
	first, second := s.log.entries[0], s.log.entries[1]
	body := first.Bodies[0]
	canonical := `{"config":{},"template":"{{}}","text":"Hello, {{name}}.","type":"text"}`
	digest := sha256.Sum256([]byte(canonical))
	seal := sha256.Sum256(append(digest[:], body.Fields...))
	if body.Text != "Hello, {{name}}." {
		t.Errorf("the body's text is %q", body.Text)
	}
	for what, sum := range map[string][32]byte{"digest\":\"sha256:": digest, "seal\":\"": seal} {
		if !bytes.Contains(first.Data, fmt.Appendf(nil, "%s%x", what, sum)) {
			t.Errorf("the first entry has not the %s that docs/format.md leads to: %x", what, sum)
		}
	}
	h1 := sha256.Sum256(append(make([]byte, 32), first.Data...))
	h2 := sha256.Sum256(append(h1[:], second.Data...))
	if h1 != first.Hash || h2 != second.Hash {
		t.Errorf("the hashes are %x and %x, and docs/format.md leads to %x and %x", first.Hash, second.Hash, h1, h2)
	}
	example := fmt.Sprintf("```\ncontent  %s\ndigest   %x\nfields   %s\nseal     %x\n\nentry 1  %s\nhash 1   %x\n\nentry 2  %s\nhash 2   %x\n```\n",
		canonical, digest, body.Fields, seal, first.Data, h1, second.Data, h2)
	const begin, end = "<!-- example: written by make golden -->\n", "<!-- example: end -->"
	doc, err := os.ReadFile("docs/format.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	old, after, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		t.Error("docs/format.md has no place for the example")
	case old == example:
	case *update:
		if err := os.WriteFile("docs/format.md", []byte(before+begin+example+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the example of docs/format.md is not what stet does, which is:\n%s", example)
	}
}

// TestGoldenJSON holds the form of what callers get.
func TestGoldenJSON(t *testing.T) {
	s := open(t)
	for _, c := range append(append([]string(nil), firstCommits...), furtherCommits...) {
		s.commit(c)
	}
	ctx := t.Context()
	var out bytes.Buffer
	show := func(what string, v any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		fmt.Fprintf(&out, "%s\n%s\n\n", what, b)
	}
	for _, ref := range []string{"greeting@0.9.0", "greeting@1.1.0", "support/分诊"} {
		v, err := s.store.Get(ctx, ref)
		show("version "+ref, v, err)
	}
	head, err := s.store.Head(ctx, "greeting")
	show("head", head, err)
	moves, err := s.store.HistoryPage(ctx, "greeting", "production", stet.HistoryOptions{})
	show("moves", moves.Items, err)
	changes, err := s.store.ChangesPage(ctx, 0, stet.ChangesOptions{Texts: true, Limit: 3})
	show("changes, with texts", changes.Items, err)
	for _, d := range s.done {
		show(fmt.Sprintf("answer %d", d.Revision), d, nil)
	}
	report, err := s.store.Verify(ctx, stet.VerifyOptions{})
	show("report", report, err)
	golden(t, "json.txt", out.String())
}

// TestGoldenDraft: a draft that is decoded and encoded is the same draft.
func TestGoldenDraft(t *testing.T) {
	var out strings.Builder
	for _, c := range append(append([]string(nil), firstCommits...), furtherCommits...) {
		var first, second stet.Commit
		if err := stet.Decode(strings.NewReader(c), &first); err != nil {
			t.Fatal(err)
		}
		once, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := stet.Decode(bytes.NewReader(once), &second); err != nil {
			t.Fatal(err)
		}
		twice, err := json.Marshal(second)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once, twice) {
			t.Errorf("encoded once  %s\nencoded twice %s", once, twice)
		}
		fmt.Fprintf(&out, "%s\n", once)
	}
	golden(t, "commits.txt", out.String())
}

// TestGoldenErrors holds the sentences that docs/guarantees.md shows.
func TestGoldenErrors(t *testing.T) {
	s := open(t)
	for _, c := range append(append([]string(nil), firstCommits...), furtherCommits...) {
		s.commit(c)
	}
	var out strings.Builder
	for _, c := range []string{
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x","version":"1.1.0"}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x","version":"1.0.0"}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x","version":"1.2"}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x","expect":"1.1.0"}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x","version":"9.0.0","bump":"auto"}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":" \n"}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x","parents":["greeting@7.0.0"]}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","text":"x"}},{"set_label":{"prompt_id":"greeting","label":"production","version":"0.9.0","expect":"3.0.0"}}]}`,
		`{"ops":[{"set_label":{"prompt_id":"greeting","label":"v1","version":"0.9.0"}}]}`,
		`{"ops":[{"set_label":{"prompt_id":"greeting","label":"production","version":"^7"}}]}`,
		`{"ops":[{"remove_label":{"prompt_id":"greeting","label":"prod"}}]}`,
		`{"ops":[{"rollback":{"prompt_id":"support/分诊"}}]}`,
		`{"ops":[{"delete":{"prompt_id":"support/triage"}},{"save":{"prompt_id":"a@b","text":"x"}}]}`,
		`{"id":"release-7","ops":[{"clear":{}}]}`,
		`{"ops":[{"save":{"prompt_id":"greeting","txt":"x"}}]}`,
		`{"ops":[]}`,
	} {
		fmt.Fprintf(&out, "%s\n%s\n\n", c, s.refused(c))
	}
	for _, ref := range []string{"greting", "greeting@prod", "greeting@1.0.0", "greeting@9.9.9", "greeting@>=7 <8", "greeting@#99", "greeting@sha256:00000000", "a b@^^1"} {
		_, err := s.store.Get(t.Context(), ref)
		fmt.Fprintf(&out, "get %s\n%v\n\n", ref, err)
	}
	golden(t, "errors.txt", out.String())
}
