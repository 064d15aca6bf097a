package load_test

import (
	"path/filepath"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/load"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// TestSoak is the short form of make soak: a mixed load by the number of its
// operations, and the check of all that was acknowledged.
func TestSoak(t *testing.T) {
	mem, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "stet.db"), &sqlite.Options{Options: core.Options{CacheBytes: 1 << 20, CheckpointEvery: 500}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*stet.Store{mem, file} {
		t.Run(s.Engine(), func(t *testing.T) {
			defer s.Close()
			m := load.Mix{Corpus: load.Corpus{Seed: 1, Size: 512}, Prompts: 200, Workers: 32, Zipf: 1.1, Operations: 20_000}
			out, err := m.Run(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range out.Problems {
				t.Error(p)
			}
			if out.Operations != m.Operations {
				t.Errorf("%d operations, want %d", out.Operations, m.Operations)
			}
			for _, k := range out.Kinds {
				if k.Count == k.Refused {
					t.Errorf("no %s came through: %+v", k.Kind, k)
				}
			}
			if out.Acknowledged < 1500 {
				t.Errorf("%d commits were acknowledged; a tenth of all operations are commits", out.Acknowledged)
			}
		})
	}
}

func TestFill(t *testing.T) {
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := load.Fill{Corpus: load.Corpus{Seed: 1, Size: 300}, Versions: 103, Prompts: 10, Long: 50, Batch: 7, Workers: 3}
	if err := f.Into(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	prompts, versions := 0, 0
	for h, err := range s.Prompts(t.Context(), stet.PromptsOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		prompts++
		versions += h.Versions
		want := load.Number(h.Versions - 1)
		if h.Latest != want || h.Labels["staging"] != want || h.Labels["production"] != load.Number(h.Versions/2) {
			t.Errorf("%+v", h)
		}
		v, err := s.Get(t.Context(), h.PromptID+"@"+load.Number(3).String())
		if err != nil || v.Text() != f.Text(h.PromptID, 3) || len(v.Text()) != 300 {
			t.Errorf("%v %q", err, v.Text())
		}
	}
	if prompts != 11 || versions != f.Total() {
		t.Errorf("%d prompts, %d versions", prompts, versions)
	}
	if err := f.Into(t.Context(), s); stet.CodeOf(err) != stet.CodeConflict {
		t.Errorf("a store that is not empty was filled: %v", err)
	}
}

// TestGuard: what is not of a benchmark is left alone.
func TestGuard(t *testing.T) {
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: "support/triage", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	m := load.Mix{Corpus: load.Corpus{Size: 512}, Prompts: 2, Workers: 1, Zipf: 1.1, Operations: 10}
	if _, err := m.Run(t.Context(), s); stet.CodeOf(err) != stet.CodeConflict {
		t.Fatalf("a load was put on somebody's prompts: %v", err)
	}
	if tail, err := s.Tail(t.Context()); err != nil || tail.Revision != 1 {
		t.Errorf("revision %d, %v", tail.Revision, err)
	}
}
