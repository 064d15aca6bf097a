package sqlite_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// Texts that were evicted leave the heap: what is kept of 32 MiB in a cache of 2 MiB.
func TestEvictedTextsLeaveTheHeap(t *testing.T) {
	log, err := sqlite.OpenLog(t.Context(), filepath.Join(t.TempDir(), "s.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stet.New(t.Context(), log, stet.Options{CacheBytes: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	live := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	for i := range 64 {
		if _, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: fmt.Sprint(i) + strings.Repeat("x", 512<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 64 {
		if _, err := s.Get(t.Context(), fmt.Sprintf("a@#%d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if grown := live() - before; grown > 8<<20 {
		t.Errorf("%d KiB are in memory of 32 MiB of texts, with a cache of 2 MiB", grown>>10)
	}
}
