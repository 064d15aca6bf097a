package sqlite_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/sqlite"
)

var makeOld = flag.String("make-old", "", "write the store of TestOldFiles to this file, with the stet of today, and stop")

// TestOldFiles opens the files that each schema version of stet has left, one of
// each kind of commit in them, and finds what was put in. When the schema changes,
// the file of the version before it stays, and one of the new version comes:
//
//	go test ./sqlite -run OldFiles -make-old testdata/schema-2.db
func TestOldFiles(t *testing.T) {
	if *makeOld != "" {
		if err := writeOld(t, *makeOld); err != nil {
			t.Fatal(err)
		}
		return
	}
	files, err := filepath.Glob("testdata/schema-*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no old files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "stet.db")
			copyFile(t, file, path)
			s := open(t, path, nil)
			defer s.Close()
			want, err := os.ReadFile(file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			got, err := everything(t, s)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the store has\n%s\nand should have\n%s", got, want)
			}
			if r, err := s.Verify(t.Context(), stet.VerifyOptions{}); err != nil || !r.OK() {
				t.Errorf("verify: %v, %v", r.Problems, err)
			}
			if _, err := s.Save(t.Context(), stet.Draft{PromptID: "support/triage", Text: "new"}); err != nil {
				t.Errorf("it cannot be saved to: %v", err)
			}
		})
	}
}

func writeOld(t *testing.T, path string) error {
	second := int64(0)
	s, err := sqlite.Open(t.Context(), path, &sqlite.Options{Options: core.Options{
		Now:   func() time.Time { second++; return time.Unix(1_767_225_600+second, 0) },
		NewID: func() string { return fmt.Sprintf("commit-%d", second) },
	}})
	if err != nil {
		return err
	}
	for _, c := range []stet.Commit{
		{Ops: []stet.Op{{Save: &stet.Draft{PromptID: "before", Text: "gone with the clear"}}}},
		{Author: "ana", Message: "begin anew", Ops: []stet.Op{{Clear: &stet.Clear{}}}},
		{Author: "ana", Ops: []stet.Op{{Save: &stet.Draft{PromptID: "support/triage", Text: "Sort: {{ticket}}", Labels: []string{"production"}}}}},
		{Author: "bo", Message: "two at once", Ops: []stet.Op{
			{Save: &stet.Draft{PromptID: "support/triage", Text: "Sort {{ticket}} by {{key}}", Bump: "minor", Parents: []string{"support/triage@1.0.0"}}},
			{Save: &stet.Draft{
				PromptID: "客服/问候", Messages: json.RawMessage(`[{"role":"system","content":"你好 {{name}}"},{"type":"placeholder","name":"history"}]`),
				Config: json.RawMessage(`{"temperature":0.2}`), Metadata: json.RawMessage(`{"team":"a"}`), Version: "2.0.0-rc.1",
			}},
			{SetLabel: &stet.SetLabel{PromptID: "support/triage", Label: "production", Version: "latest"}},
			{SetLabel: &stet.SetLabel{PromptID: "客服/问候", Label: "staging", Version: "2.0.0-rc.1"}},
		}},
		{Author: "bo", Ops: []stet.Op{{Rollback: &stet.Rollback{PromptID: "support/triage"}}}},
		{Ops: []stet.Op{{Delete: &stet.Delete{PromptID: "support/triage", Version: "1.1.0"}}}},
		{Ops: []stet.Op{{RemoveLabel: &stet.RemoveLabel{PromptID: "客服/问候", Label: "staging"}}}},
	} {
		if _, err := s.Commit(t.Context(), c); err != nil {
			return err
		}
	}
	want, err := everything(t, s)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return os.WriteFile(path+".json", []byte(want), 0o644)
}

// everything is what a store answers, as text.
func everything(t *testing.T, s *stet.Store) (string, error) {
	var out []byte
	add := func(v any, err error) error {
		if err != nil {
			return err
		}
		line, err := json.Marshal(v)
		out = append(append(out, line...), '\n')
		return err
	}
	for h, err := range s.Prompts(t.Context(), stet.PromptsOptions{}) {
		if err := add(h, err); err != nil {
			return "", err
		}
		for v, err := range s.List(t.Context(), h.PromptID, stet.ListOptions{}) {
			if err := add(v, err); err != nil {
				return "", err
			}
		}
	}
	for m, err := range s.History(t.Context(), "support/triage", "", stet.HistoryOptions{}) {
		if err := add(m, err); err != nil {
			return "", err
		}
	}
	page, err := s.ChangesPage(t.Context(), 0, stet.ChangesOptions{})
	for _, ch := range page.Items {
		if err := add(ch, nil); err != nil {
			return "", err
		}
	}
	return string(out), err
}
