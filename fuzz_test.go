package stet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

// FuzzDraft saves whatever can be decoded as a draft. It is refused in stet's own
// words and nothing changes, or it comes back as it was given and the store is sound.
func FuzzDraft(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		var d stet.Draft
		err := stet.Decode(bytes.NewReader(data), &d)
		if err != nil {
			if stet.CodeOf(err) != stet.CodeInvalid {
				t.Fatalf("decoding fails with %v", err)
			}
			return
		}
		store, err := memory.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		saved, err := store.Save(t.Context(), d)
		if err != nil {
			var e *stet.Error
			if !errors.As(err, &e) || e.Op >= 0 || e.Code == stet.CodeInternal || e.Code == stet.CodeUnknown || e.Code == stet.CodeUnavailable {
				t.Fatalf("saving fails with %#v", err)
			}
			if tail, terr := store.Tail(t.Context()); terr != nil || tail.Revision != 0 {
				t.Fatalf("a draft that was refused (%v) left revision %d, %v", err, tail.Revision, terr)
			}
			return
		}
		v, err := store.Get(t.Context(), saved.Ref())
		if err != nil || v.Text() != d.Text || v.Digest() != saved.Digest() || v.Digest() != v.Content().Digest() {
			t.Fatalf("saved %v, got %v, %v", saved.Version, v, err)
		}
		for _, label := range d.Labels {
			if l, err := store.Get(t.Context(), d.PromptID+"@"+label); err != nil || l.Number() != v.Number() {
				t.Fatalf("the label %s is at %v, %v", label, l.Number(), err)
			}
		}
		// What is printed is JSON, and has the text.
		b, err := json.Marshal(v)
		var back struct{ Text string }
		if err != nil || json.Unmarshal(b, &back) != nil || back.Text != d.Text {
			t.Fatalf("as JSON it is %s, %v", b, err)
		}
		if report, err := store.Verify(t.Context(), stet.VerifyOptions{}); err != nil || !report.OK() {
			t.Fatalf("the store is not sound: %v, %v", report.Problems, err)
		}
	})
}
