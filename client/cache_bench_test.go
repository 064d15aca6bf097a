package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/memory"
)

// hitTarget is how many times what a Get of the memory engine takes a hit of the
// cache may take.
const hitTarget = 2.0

// BenchmarkCacheHit compares a hit with a Get of the memory engine, in turns, so
// that what else goes on at the machine hits both.
func BenchmarkCacheHit(b *testing.B) {
	ctx := b.Context()
	s, err := memory.Open(nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "text", Labels: []string{"production"}}); err != nil {
		b.Fatal(err)
	}
	srv, err := serve(s)
	if err != nil {
		b.Fatal(err)
	}
	defer srv.close()
	cache, err := client.OpenCached(ctx, srv.url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer cache.Close()
	if err := cache.Ready(ctx); err != nil {
		b.Fatal(err)
	}
	for _, ref := range []string{"support/triage@production", "support/triage@latest", "support/triage"} {
		b.Run(ref, func(b *testing.B) {
			if n := testing.AllocsPerRun(100, func() { _, _ = cache.Get(ctx, ref) }); n != 0 {
				b.Errorf("a hit allocates %v times", n)
			}
			const turn = 20_000
			var hits, gets time.Duration
			n := 0
			for b.Loop() {
				if n%turn == 0 { // both take a turn
					hits += timeGets(ctx, b, cache.Store, ref, turn)
					gets += timeGets(ctx, b, s, ref, turn)
				}
				n++
			}
			ratio := float64(hits) / float64(gets)
			turns := float64((n + turn - 1) / turn * turn)
			b.ReportMetric(float64(hits.Nanoseconds())/turns, "ns/hit")
			b.ReportMetric(float64(gets.Nanoseconds())/turns, "ns/memory-get")
			b.ReportMetric(ratio, "ratio")
			b.ReportMetric(0, "ns/op")
			b.Logf("a hit takes %.2f of what the memory engine's Get takes (at most %.1f)", ratio, hitTarget)
		})
	}
}

func timeGets(ctx context.Context, b *testing.B, s *stet.Store, ref string, n int) time.Duration {
	began := time.Now()
	for range n {
		if _, err := s.Get(ctx, ref); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}
