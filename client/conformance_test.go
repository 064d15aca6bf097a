package client_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

// harness opens a store of an engine behind a server of its own.
func harness(engine func(ctx context.Context, o core.Options) (*stet.Store, error)) drivertest.Harness {
	return drivertest.Harness{
		OpenStore: func(ctx context.Context, o core.Options) (*stet.Store, error) {
			s, err := engine(ctx, o)
			if err != nil {
				return nil, err
			}
			return over(ctx, s, client.Options{})
		},
	}
}

func inMemory(_ context.Context, o core.Options) (*stet.Store, error) { return memory.Open(&o) }

func TestStore(t *testing.T) { drivertest.TestStore(t, harness(inMemory)) }
func TestHeap(t *testing.T)  { drivertest.TestHeap(t, harness(inMemory)) }
func TestProof(t *testing.T) { drivertest.TestProof(t, harness(inMemory)) }

var faultSeed = flag.Uint64("faults", 0, "the seed of the proxy's faults; a new one each time if 0")

// badHarness is harness through a network that loses, delays, repeats and cuts so
// many of a thousand requests. It logs its seed, and what was done at the end.
func badHarness(t *testing.T, perMille int) drivertest.Harness {
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("the faults are those of -faults=%d", seed)
	var mu sync.Mutex
	var counts [faults]int64
	t.Cleanup(func() {
		all := int64(0)
		for _, n := range counts[1:] {
			all += n
		}
		for f, n := range counts {
			t.Logf("%s: %d", faultNames[f], n)
			if n == 0 && all > 200 && !t.Failed() { // of fewer, as of one case, some kind may be left out
				t.Errorf("there was no %s, and so it was not tried", faultNames[f])
			}
		}
	})
	var n atomic.Uint64
	return drivertest.Harness{
		Unreliable: true,
		OpenStore: func(ctx context.Context, o core.Options) (*stet.Store, error) {
			s, err := memory.Open(&o)
			if err != nil {
				return nil, err
			}
			srv, err := serve(s)
			if err != nil {
				return nil, err
			}
			var on atomic.Bool
			p, err := newProxy(srv.url, random(seed+n.Add(1), perMille, &on))
			if err != nil {
				return nil, errors.Join(err, srv.close())
			}
			end := func() error {
				err := errors.Join(p.close(), srv.close())
				mu.Lock()
				defer mu.Unlock()
				for f := range counts {
					counts[f] += p.counts[f].Load()
				}
				return err
			}
			b, err := client.Dial(ctx, p.url(), client.Options{
				FirstWait: 2 * time.Millisecond, Attempts: 8, RetryBudget: 1_000_000,
			})
			if err != nil {
				return nil, errors.Join(err, end())
			}
			on.Store(true) // Open asks only a few times
			return stet.New(&remote{b, sync.OnceValue(end)}), nil
		},
	}
}

// Every rule holds over a bad network too.
func TestStoreThroughFaults(t *testing.T) {
	t.Parallel()
	drivertest.TestStore(t, badHarness(t, 50))
}

// So do those that are tried at random, linearizability among them. The one that
// counts bytes would count those of the tests beside it.
func TestProofThroughFaults(t *testing.T) {
	t.Parallel()
	h := badHarness(t, 60)
	for _, c := range drivertest.ProofCases() {
		if c.Name == "save/does-not-copy-the-history" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Run(t.Context(), &h); err != nil {
				t.Errorf("%v\nthe rule: %s", err, c.Rule)
			}
		})
	}
}

// The cache ends with its client, whatever its callers are doing.
func TestCloseOfACache(t *testing.T) {
	t.Parallel()
	h := drivertest.Harness{OpenStore: func(ctx context.Context, o core.Options) (*stet.Store, error) {
		s, err := memory.Open(&o)
		if err != nil {
			return nil, err
		}
		c, err := over(ctx, s, client.Options{})
		if err != nil {
			return nil, err
		}
		r := c.Backend().(*remote)
		cache := client.CacheOf(r.Backend, client.CacheOptions{})
		return stet.New(&remote{cache.Backend(), r.close}), nil
	}}
	for _, c := range drivertest.Cases() {
		if c.Name != "close/beside-callers" {
			continue
		}
		if err := c.Run(t.Context(), &h); err != nil {
			t.Errorf("%v\nthe rule: %s", err, c.Rule)
		}
	}
}
