package core_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A wild engine has bounds and fails in every way.
type wild struct {
	*hook
	t    *testing.T
	r    *rand.Rand
	most int
}

func (w *wild) Info() driver.Info {
	i := w.hook.Info()
	i.MaxEntries = w.most
	return i
}

func (w *wild) Append(ctx context.Context, prev driver.Tail, e []driver.Entry) error {
	<-time.After(time.Millisecond)
	if w.most > 0 && len(e) > w.most {
		w.t.Errorf("%d entries", len(e))
	}
	switch w.r.IntN(10) {
	case 0:
		return errors.Join(driver.ErrNotApplied, errors.New("no"))
	case 1:
		return errors.New("lost before")
	case 2:
		_ = w.hook.Log.Append(ctx, prev, e)
		return errors.New("lost after")
	}
	return w.hook.Log.Append(ctx, prev, e)
}

// Whatever the engine does to an append, a commit that was acknowledged is in
// the log where it was said to be, one that was refused is not, and none is there twice.
func TestAppendFailsInEveryWay(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			w := &wild{hook: newHook(), r: rand.New(rand.NewPCG(seed, 5)), most: int(seed % 4), t: t}
			w.keep = true
			c := start(t, w, core.Options{MaxBatch: []int{0, 3, 9}[seed%3]})
			var mu sync.Mutex
			acked, no, unk := map[string]uint64{}, map[string]bool{}, map[string]bool{}
			var wg sync.WaitGroup
			for g := range 12 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(g)))
					for n := range 8 {
						<-time.After(time.Duration(r.IntN(3000)) * time.Microsecond)
						id := fmt.Sprintf("%d-%d", g, n)
						if r.IntN(3) == 0 {
							id = fmt.Sprintf("s-%d", n)
						}
						op := saving("p", id)
						if r.IntN(6) == 0 && id[0] != 's' {
							op.Save.Version = "1.0.1"
						}
						d, err := c.Commit(t.Context(), stet.Commit{ID: id, Ops: []stet.Op{op}})
						mu.Lock()
						switch code := stet.CodeOf(err); {
						case err == nil:
							if a := acked[id]; a != 0 && a != d.Revision {
								t.Errorf("%s at %d and %d", id, a, d.Revision)
							}
							acked[id] = d.Revision
						case code == stet.CodeUnknown:
							unk[id] = true
						default:
							no[id] = true
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			c.Close()
			at := map[string]uint64{}
			es, _ := w.hook.Log.Read(context.Background(), 0, 1000)
			for _, e := range es {
				if at[e.ID] != 0 {
					t.Errorf("seed %d: %s twice", seed, e.ID)
				}
				at[e.ID] = e.Revision
			}
			for id, r := range acked {
				if at[id] != r {
					t.Errorf("seed %d: %s acked at %d, is at %d", seed, id, r, at[id])
				}
			}
			for id := range no {
				if at[id] != 0 && acked[id] == 0 && !unk[id] {
					t.Errorf("seed %d: %s refused, is at %d", seed, id, at[id])
				}
			}
		})
	}
}
