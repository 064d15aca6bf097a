package corrupt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// A verdict is what became of a damaged store.
type verdict struct {
	kind    string // one of the kinds
	what    string // in words
	failed  int    // reads that failed
	stale   int    // reads whose answer differs in something other than a text
	example string // of those
}

// The kinds of verdicts.
const (
	refused   = "opening said so"
	verified  = "Verify said so"
	unchanged = "nothing was different"
	otherID   = "nothing but the store's id was different, which nothing can tell"
	missed    = "NOT FOUND, and answers differ"
	wrong     = "A WRONG TEXT WAS RETURNED"
	panicked  = "PANIC"
)

var kinds = []string{refused, verified, unchanged, otherID, missed, wrong, panicked}

// A subject is a sound store's file, and what the store answers.
type subject struct {
	data    []byte
	id      string
	hash    stet.Hash
	answers []answer
}

func newSubject(t *testing.T) *subject {
	t.Helper()
	path := build(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := &subject{data: data, id: s.ID(), answers: answers(t.Context(), s)}
	tail, err := s.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.hash = tail.Hash
	live := 0
	for i := range b.answers {
		if b.answers[i].text != "" {
			live++
		}
		if c := b.answers[i].code; c != "" && c != stet.CodeNotFound {
			t.Fatalf("the sound store says to %s: %s", b.answers[i].question, b.answers[i].message)
		}
	}
	r, err := s.Verify(t.Context(), stet.VerifyOptions{})
	if err != nil || !r.OK() {
		t.Fatalf("the sound store is not: %v %s", err, r.Problems)
	}
	t.Logf("| the store: %s bytes, %d prompts, %d versions, revision %d; %d questions, %d answered with texts",
		humanize.Comma(int64(len(data))), r.Prompts, r.Versions, r.Revision, len(b.answers), live)
	return b
}

// judge opens a damaged copy, asks it everything and verifies it.
func (b *subject) judge(ctx context.Context, path string) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = verdict{kind: panicked, what: fmt.Sprint(p)}
		}
	}()
	s, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		return verdict{kind: refused, what: err.Error()}
	}
	defer s.Close()
	id := s.ID()
	for _, a := range answers(ctx, s) {
		v.compare(b, &a)
	}
	// Every way to answer: what is asked after Verify has read all of it.
	r, err := s.Verify(ctx, stet.VerifyOptions{})
	said := ""
	if err != nil {
		said = err.Error()
	} else if !r.OK() {
		said = r.Problems[0]
	}
	switch {
	case v.kind == wrong:
	case said != "":
		v.kind, v.what = verified, said
	case v.stale > 0 || v.failed > 0:
		v.kind, v.what = missed, v.example
	case id != b.id:
		v.kind = otherID
	default:
		v.kind = unchanged
	}
	return v
}

// compare holds an answer against that of the sound store.
func (v *verdict) compare(b *subject, a *answer) {
	was := b.find(a.question)
	switch {
	case was == nil:
		v.stale++
		v.example = "asked otherwise: " + a.question
	case a.code == stet.CodeInternal || a.code == stet.CodeUnavailable:
		v.failed++
		if v.example == "" {
			v.example = a.message
		}
	case a.code != was.code:
		v.stale++
		v.example = fmt.Sprintf("%s: was %q, is %q %s", a.question, was.code, a.code, a.message)
	case a.text != was.text:
		v.kind, v.what = wrong, fmt.Sprintf("%s: %s", a.question, apart(was.text, a.text))
	case a.rest != was.rest:
		v.stale++
		v.example = fmt.Sprintf("%s: %s", a.question, apart(was.rest, a.rest))
	}
}

// apart shows where two texts differ.
func apart(was, is string) string {
	i := 0
	for i < len(was) && i < len(is) && was[i] == is[i] {
		i++
	}
	around := func(s string) string { return s[max(0, i-30):min(len(s), i+30)] }
	return fmt.Sprintf("was …%q…, is …%q…", around(was), around(is))
}

func (b *subject) find(question string) *answer {
	for i := range b.answers {
		if b.answers[i].question == question {
			return &b.answers[i]
		}
	}
	return nil
}

// try damages n copies and tells what became of them.
func (b *subject) try(t *testing.T, n int, damage func(i int) (what string, data []byte)) {
	t.Helper()
	dir := t.TempDir()
	type job struct {
		i    int
		what string
		data []byte
	}
	jobs := make(chan job)
	var workers sync.WaitGroup
	var mu sync.Mutex
	count := map[string]int{}
	var examples []string                      // of reads that gave what was not saved
	for w := range 4 * runtime.GOMAXPROCS(0) { // most wait for a disk
		workers.Go(func() {
			for j := range jobs {
				sub := filepath.Join(dir, fmt.Sprint(w))
				if err := os.MkdirAll(sub, 0o700); err != nil {
					t.Error(err)
				}
				path := filepath.Join(sub, "stet.db")
				if err := os.WriteFile(path, j.data, 0o600); err != nil {
					t.Error(err)
				}
				v := b.judge(t.Context(), path)
				if err := os.RemoveAll(sub); err != nil {
					t.Error(err)
				}
				mu.Lock()
				count[v.kind]++
				if v.kind == verified && v.stale > 0 {
					examples = append(examples, fmt.Sprintf("%d: %s: %s", j.i, j.what, v.example))
				}
				mu.Unlock()
				switch v.kind {
				case missed, wrong, panicked:
					t.Errorf("%d: %s: %s: %s", j.i, j.what, v.kind, v.what)
				}
			}
		})
	}
	for i := range n {
		what, data := damage(i)
		jobs <- job{i, what, data}
	}
	close(jobs)
	workers.Wait()
	for _, k := range kinds {
		t.Logf("| %6d of %d: %s", count[k], n, k)
	}
	if len(examples) > 0 {
		t.Errorf("%d of %d: Verify said so, and a read gave another author, message, time, id or hash than was saved:\n%s",
			len(examples), n, strings.Join(examples[:min(20, len(examples))], "\n"))
	}
}

// TestBits flips one bit at a time.
func TestBits(t *testing.T) {
	rnd := seeded(t)
	b := newSubject(t)
	b.try(t, times(150, 1000), func(int) (string, []byte) {
		bit := rnd.IntN(len(b.data) * 8)
		data := append([]byte(nil), b.data...)
		data[bit/8] ^= 1 << (bit % 8)
		return fmt.Sprintf("bit %d of byte %d of %d", bit%8, bit/8, len(data)), data
	})
}

// TestCuts cuts the file at random lengths.
func TestCuts(t *testing.T) {
	rnd := seeded(t)
	b := newSubject(t)
	b.try(t, times(20, 100), func(int) (string, []byte) {
		n := rnd.IntN(len(b.data))
		return fmt.Sprintf("the first %d of %d bytes", n, len(b.data)), b.data[:n]
	})
}

// TestLostTail puts an older file in the place of the store: it is sound in itself,
// and only a hash that was noted elsewhere tells.
func TestLostTail(t *testing.T) {
	path := build(t)
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: id(0), Text: "one more"}); err != nil {
		t.Fatal(err)
	}
	tail, err := s.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hash := tail.Hash
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lost bool
		data func() []byte
	}{
		{false, func() []byte { d, _ := os.ReadFile(path); return d }},
		{true, func() []byte { return older }},
	} {
		if err := os.WriteFile(path, c.data(), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, expect := range []stet.Hash{{}, hash} {
			r, err := s.Verify(t.Context(), stet.VerifyOptions{Expect: expect})
			if err != nil {
				t.Fatal(err)
			}
			if found := !r.OK(); found != (c.lost && !expect.IsZero()) {
				t.Errorf("lost: %t, expecting %s: %q", c.lost, expect, r.Problems)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
