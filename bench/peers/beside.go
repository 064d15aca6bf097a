package peers

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// besides compares reads with something going on beside them with the same reads
// without it. The reader is one goroutine; what goes on is one caller that never
// pauses.
func besides() []measure {
	var rows []measure
	for _, selector := range []string{"latest", "production"} {
		b := &beside{selector: selector}
		rows = append(rows, measure{
			name: "memory Get " + selector + ", beside a saver to that prompt", peer: "beside as much allocation",
			better: atMost, target: 1.2,
			stet: b.saver, against: b.neighbour,
		})
	}
	for _, c := range []committing{
		{engine: "memory", moved: true},
		{engine: "SQLite", moved: false},
		{engine: "SQLite", moved: true},
	} {
		rows = append(rows, measure{
			name: c.String(), peer: "the same with no commits",
			better: atLeast, target: 0.8,
			stet: c.busy, against: c.quiet,
		})
	}
	return rows
}

// A beside is the load of one reader, with either a saver or a neighbour beside it.
//
// The saver saves a kilobyte at a time to the very prompt that is read, which is
// where a reader would meet it if they shared anything. The neighbour allocates
// what the saver did in the lap before: as many objects a second, of that mean
// size, and it keeps the same part of them. It does nothing else, and sleeps when
// it is ahead: a core that the saver's work takes from the reader, or from the
// collector, counts against stet. Its objects hold no pointers, which is the
// cheaper kind to collect, and so the harder comparison.
type beside struct {
	selector string
	appetite appetite
}

// An appetite is how a goroutine allocates.
type appetite struct {
	objects float64 // a second
	size    float64 // mean, in bytes
	kept    float64 // the part that stays reachable until the lap is over
}

// saver is the side with a saver.
func (b *beside) saver(e *env) (side, error) {
	return func() (took sample, err error) {
		s, ids, err := b.open(e)
		if err != nil {
			return took, err
		}
		defer s.close()
		n := 0
		stop := during(e.ctx, func(ctx context.Context) error {
			n++
			return s.save(ctx, draft{id: ids[0], text: text(0, n, kilobyte)})
		})
		meter := startMeter()
		took, err = b.reads(e, s, ids)
		b.appetite = meter.stop()
		return took, cmp.Or(stop(), err)
	}, nil
}

// neighbour is the side with a goroutine that only allocates.
func (b *beside) neighbour(e *env) (side, error) {
	return func() (took sample, err error) {
		s, ids, err := b.open(e)
		if err != nil {
			return took, err
		}
		defer s.close()
		began, done := time.Now(), 0.0
		var kept [][]byte
		stop := during(e.ctx, func(context.Context) error {
			due := b.appetite.objects * time.Since(began).Seconds()
			if done >= due {
				time.Sleep(50 * time.Microsecond)
				return nil
			}
			for ; done < due; done++ {
				object := make([]byte, int(b.appetite.size))
				if float64(len(kept)) < done*b.appetite.kept {
					kept = append(kept, object)
				}
			}
			return nil
		})
		took, err = b.reads(e, s, ids)
		err = cmp.Or(stop(), err)
		runtime.KeepAlive(kept)
		return took, err
	}, nil
}

// open makes a store with one prompt of a hundred versions; the first of ids.
func (b *beside) open(e *env) (store, []string, error) {
	s, err := openMemory()
	if err != nil {
		return s, nil, err
	}
	ids := promptIDs(1)
	return s, ids, fill{ids: ids, versions: 100, size: kilobyte}.into(e.ctx, s)
}

func (b *beside) reads(e *env, s store, ids []string) (sample, error) {
	names := refs(ids, b.selector)
	l := load{workers: 1, batch: 1000, lap: e.lap}
	return l.run(e.ctx, func(_, first int) error { return s.get(e.ctx, names, first, l.batch) })
}

// A meter measures an appetite. Reads allocate nothing, so what the process does
// is what the saver does.
type meter struct {
	began time.Time
	mem   runtime.MemStats
}

func startMeter() *meter {
	m := new(meter)
	runtime.GC()
	runtime.ReadMemStats(&m.mem)
	m.began = time.Now()
	return m
}

// stop returns the appetite since the start. The saver still runs while it looks;
// that little is the same in objects and in time.
func (m *meter) stop() appetite {
	var now, live runtime.MemStats
	runtime.ReadMemStats(&now)
	elapsed := time.Since(m.began).Seconds()
	runtime.GC()
	runtime.ReadMemStats(&live)
	objects := float64(now.Mallocs - m.mem.Mallocs)
	bytes := float64(now.TotalAlloc - m.mem.TotalAlloc)
	// Both heaps are as after a collection, so the difference is what was kept.
	kept := float64(live.HeapAlloc) - float64(m.mem.HeapAlloc)
	return appetite{
		objects: objects / elapsed,
		size:    bytes / objects,
		kept:    min(max(kept/bytes, 0), 1),
	}
}

// A committing is the load of one reader while commits of 1,000 operations are
// written, one after another: each saves a kilobyte to 500 prompts and moves their
// production there.
type committing struct {
	engine string
	moved  bool // read the prompts that the commits move; otherwise others
}

// Each commit saves to so many prompts and moves the label of each.
const committed = maxOps / 2

// readInTurn is the number of prompts that the reader goes through: a power of two,
// and no more than are committed to.
const readInTurn = 256

func (c committing) String() string {
	which := "other"
	if c.moved {
		which = "the same"
	}
	return fmt.Sprintf("%s Get, beside commits of 1,000 to %s prompts", c.engine, which)
}

func (c committing) busy(e *env) (side, error) {
	return c.side(e, func(s store, ids []string) func() error {
		n := 0
		return during(e.ctx, func(ctx context.Context) error {
			n++
			drafts, moves := make([]draft, committed), make([]move, committed)
			number := fmt.Sprintf("2.%d.0", n)
			for i, id := range ids[:committed] {
				drafts[i] = draft{id: id, number: number, text: text(i, n, kilobyte)}
				moves[i] = move{id: id, label: "production", number: number}
			}
			return s.commit(ctx, drafts, moves)
		})
	})
}

func (c committing) quiet(e *env) (side, error) {
	return c.side(e, func(store, []string) func() error {
		return func() error { return nil }
	})
}

// side makes a store in each lap and reads it while what begin has begun goes on.
func (c committing) side(e *env, begin func(store, []string) (stop func() error)) (side, error) {
	return func() (took sample, err error) {
		s, err := c.open(e)
		if err != nil {
			return took, err
		}
		defer func() { err = cmp.Or(err, s.close()) }()
		ids := promptIDs(2 * committed)
		if err := (fill{ids: ids, versions: 2, size: kilobyte}).into(e.ctx, s); err != nil {
			return took, err
		}
		hot := ids[committed:][:readInTurn]
		if c.moved {
			hot = ids[:readInTurn]
		}
		names := refs(hot, "production")
		stop := begin(s, ids)
		// As long as on a disk: a lap should see many commits.
		l := load{workers: 1, batch: 1000, lap: e.durableLap()}
		took, err = l.run(e.ctx, func(_, first int) error { return s.get(e.ctx, names, first, l.batch) })
		return took, cmp.Or(stop(), err)
	}, nil
}

func (c committing) open(e *env) (store, error) {
	if c.engine == "memory" {
		return openMemory()
	}
	return openSQLite(e.ctx, e.path("stet.db"))
}

// during calls do over and over on a goroutine of its own, until the function that
// it returns is called, which waits for the last call and returns the first error.
func during(ctx context.Context, do func(context.Context) error) (stop func() error) {
	var (
		group sync.WaitGroup
		quit  = make(chan struct{})
		fault error
	)
	group.Go(func() {
		for fault == nil {
			select {
			case <-quit:
				return
			default:
				fault = cmp.Or(ctx.Err(), do(ctx))
			}
		}
	})
	return func() error {
		close(quit)
		group.Wait()
		return fault
	}
}
