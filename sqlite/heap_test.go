package sqlite_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/sqlite"
)

// Texts that were evicted leave the heap: what is kept of 32 MiB in a cache of 2 MiB.
func TestEvictedTextsLeaveTheHeap(t *testing.T) {
	log, err := sqlite.OpenLog(t.Context(), filepath.Join(t.TempDir(), "s.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := core.Open(t.Context(), log, &core.Options{CacheBytes: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
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

// A move of a label takes a few bytes of the heap, however long its message.
func TestMessagesOfMovesAreNotInTheHeap(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "s.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, text := range []string{"first", "second"} {
		if _, err := s.Save(t.Context(), stet.Draft{PromptID: "a", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	before := live()
	const moves = 400
	for i := range moves {
		by := stet.By{Author: fmt.Sprint("author ", i), Message: fmt.Sprint(i) + strings.Repeat("m", 60<<10)}
		if _, err := s.SetLabel(t.Context(), by, stet.SetLabel{PromptID: "a", Label: "production", Version: fmt.Sprintf("#%d", 1+i%2)}); err != nil {
			t.Fatal(err)
		}
	}
	if grown := live() - before; grown > moves*4<<10 {
		t.Errorf("%d KiB more are in memory after %d moves with messages of 60 KiB", grown>>10, moves)
	}
}

// live is how many bytes of the heap are reachable.
func live() int64 {
	runtime.GC()
	runtime.GC() // what the first one has let pools let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
