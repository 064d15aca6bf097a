package peers

import (
	"cmp"
	"context"
	"runtime"
	"sync"
	"time"
)

// A load is how one lap calls the operation that it measures.
//
// The time an operation is the elapsed time divided by all operations of all
// workers: on more than one worker, the inverse of the rate.
type load struct {
	workers int           // goroutines at once
	batch   int           // operations a call; small ones are many, so that the clock and the call cost nothing
	lap     time.Duration // for how long, if calls is 0
	calls   int           // how many calls a worker, however long they take
}

// run calls do(worker, first) until the lap is over: do performs the worker's
// operations first, first+1 … first+batch-1 and returns nil, or why they failed.
//
// It collects garbage first, so that no lap pays for the one before it.
func (l load) run(ctx context.Context, do func(worker, first int) error) (sample, error) {
	var (
		group  sync.WaitGroup
		start  = make(chan time.Time)
		done   = make([]int, l.workers)
		errs   = make([]error, l.workers)
		before runtime.MemStats
		after  runtime.MemStats
	)
	for w := range l.workers {
		group.Go(func() {
			began := <-start
			n := 0
			for call := 0; call < l.calls || l.calls == 0 && time.Since(began) < l.lap; call++ {
				if errs[w] = cmp.Or(ctx.Err(), do(w, n)); errs[w] != nil {
					return
				}
				n += l.batch
			}
			done[w] = n
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	for range l.workers {
		start <- began
	}
	group.Wait()
	elapsed := time.Since(began)
	runtime.ReadMemStats(&after)

	ops := 0
	for _, n := range done {
		ops += n
	}
	if err := cmp.Or(errs...); err != nil {
		return sample{}, err
	}
	return sample{
		nanos:  float64(elapsed.Nanoseconds()) / float64(ops),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(ops),
	}, nil
}
