package client_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/memory"
)

// Many read through the cache while others write: every answer is the state at its
// revision, and for one reader no prompt goes back.
func TestCacheChecker(t *testing.T) {
	ctx := t.Context()
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := over(ctx, s, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// Through a second client the writers are strangers to the cache.
	cache, err := cacheOf(t, inner)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	const prompts, labels, writers, readers, moves = 4, 2, 4, 8, 60
	for p := range prompts {
		for i := range 3 {
			if _, err := s.Save(ctx, stet.Draft{PromptID: fmt.Sprint("p", p), Text: fmt.Sprint(i), Bump: "patch", Labels: []string{"l0", "l1"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	type seen struct {
		ref, version string
		asOf         uint64
	}
	var work, writing sync.WaitGroup
	answers := make([][]seen, readers)
	over := make(chan struct{})
	for w := range writers {
		rnd := rand.New(rand.NewPCG(seed, uint64(w)))
		writing.Go(func() {
			by := s
			if w == 0 {
				by = cache.Store
			}
			for range moves {
				tail, err := s.Tail(ctx)
				if err != nil {
					t.Error(err)
				}
				l := stet.SetLabel{PromptID: fmt.Sprint("p", rnd.IntN(prompts)), Label: fmt.Sprint("l", rnd.IntN(labels)), Version: fmt.Sprint("1.0.", rnd.IntN(3))}
				if _, err := by.SetLabel(ctx, stet.By{}, l); err != nil {
					t.Error(err)
				}
				if w != 0 {
					continue
				}
				if v, err := cache.Get(ctx, l.PromptID+"@"+l.Label); err != nil || v.AsOf() <= tail.Revision {
					t.Errorf("what was written after revision %d is read as of %d, %v", tail.Revision, v.AsOf(), err)
				}
			}
		})
	}
	for i := range readers {
		rnd := rand.New(rand.NewPCG(seed, uint64(100+i)))
		work.Go(func() {
			var newest [prompts]uint64
			for {
				select {
				case <-over:
					return
				default:
				}
				p := rnd.IntN(prompts)
				ref := fmt.Sprintf("p%d@l%d", p, rnd.IntN(labels))
				v, err := cache.Get(ctx, ref)
				if err != nil {
					t.Error(err)
					return
				}
				if v.AsOf() < newest[p] {
					t.Errorf("%s is of revision %d, after %d was seen", ref, v.AsOf(), newest[p])
				}
				if n := len(answers[i]); v.AsOf() != newest[p] || n == 0 || answers[i][n-1].ref != ref {
					answers[i] = append(answers[i], seen{ref, v.Number().String(), v.AsOf()})
				}
				newest[p] = v.AsOf()
				runtime.Gosched() // they would keep the processors from all others
			}
		})
	}
	writing.Wait()
	close(over)
	work.Wait()

	// The log says what each label was on at each revision.
	now := map[string]string{}
	rev := uint64(0)
	var page stet.Page[stet.Change]
	states := []map[string]string{{}}
	for page.Next != "" || rev == 0 {
		if page, err = s.ChangesPage(ctx, rev, stet.ChangesOptions{Limit: 1000}); err != nil {
			t.Fatal(err)
		}
		for _, ch := range page.Items {
			for _, op := range ch.Ops {
				if op.Save != nil {
					for _, l := range op.Save.Labels {
						now[op.Save.PromptID+"@"+l.Label] = l.To.String()
					}
				} else if l := op.SetLabel; l != nil {
					now[l.PromptID+"@"+l.Label] = l.To.String()
				}
			}
			state := make(map[string]string, len(now))
			for k, v := range now {
				state[k] = v
			}
			states = append(states, state)
			rev = ch.Revision
		}
	}
	checked := 0
	for _, list := range answers {
		for _, a := range list {
			checked++
			if want := states[a.asOf][a.ref]; a.version != want {
				t.Errorf("%s is %s as of revision %d, and was %s then", a.ref, a.version, a.asOf, want)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d answers were checked", checked)
	}
	for ref, want := range now { // and in the end it is up to date
		for {
			v, err := cache.Get(ctx, ref)
			if err != nil {
				t.Fatal(err)
			}
			if v.Number().String() == want {
				break
			}
			<-time.After(time.Millisecond)
		}
	}
}

// cacheOf puts a cache before the store of over, whose backend is wrapped.
func cacheOf(t *testing.T, inner *stet.Store) (*client.Cache, error) {
	r := inner.Backend().(*remote)
	c := client.CacheOf(r.Backend, client.CacheOptions{})
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	return c, c.Ready(t.Context())
}
