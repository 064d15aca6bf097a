package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// BenchmarkSave saves texts of a kilobyte through the whole store, one goroutine
// to a prompt.
func BenchmarkSave(b *testing.B) {
	for _, savers := range []int{1, 16, 48, 128} {
		b.Run(fmt.Sprintf("savers=%d", savers), func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "stet.db"), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			saveMany(b, s, savers, savers) // the prompts are there already, as they mostly are
			b.ReportAllocs()
			b.SetBytes(1024)
			b.ResetTimer()
			saveMany(b, s, savers, b.N)
			b.StopTimer()
		})
	}
}

func saveMany(b *testing.B, s *stet.Store, savers, n int) {
	filler := strings.Repeat("Answer the customer's question politely. ", 30)[:1000]
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range savers {
		wg.Go(func() {
			id := fmt.Sprintf("team-%02d/prompt-%04d", w%16, w)
			for {
				i := next.Add(1)
				if i > int64(n) {
					return
				}
				text := fmt.Sprintf("%024d%s", i, filler)
				if _, err := s.Save(context.Background(), stet.Draft{PromptID: id, Text: text, Bump: "patch"}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
