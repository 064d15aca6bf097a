package peers

import (
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/stet-dev/stet/bench/report"
)

// savers is the number of goroutines that save at once, on both sides.
const savers = 128

// sqlites compares durable saves of one kilobyte, stet's on SQLite, with two
// embedded key-value stores and with a bare file.
//
// Every side has the same number of goroutines, each of which waits for its save
// to be durable before it makes the next one; the same texts; files in the same
// directory; and a new store in each lap, opened before and closed after the time
// that counts. A new store is the cheapest state of all of them. The peers keep one
// value under one key: no number is allocated, no conflict looked for, and nothing
// but that value written. What stet writes besides is stet's to bear.
//
// The rows differ in whether each saver has a prompt of its own, as a peer's
// goroutines have a range of keys, or all save to one.
func sqlites() []measure {
	var rows []measure
	for _, prompts := range []int{savers, 1} {
		ours := saving{savers, prompts}
		rows = append(rows,
			// The first target against Pebble was 0.35; 0.5 is the later one.
			measure{name: ours.String(), peer: "bbolt Batch", better: atLeast, target: 2, stet: ours.stet, against: bboltSide(savers, false)},
			measure{name: ours.String(), peer: "bbolt Batch, tuned to it", better: atLeast, target: 1, stet: ours.stet, against: bboltSide(savers, true)},
			measure{name: ours.String(), peer: "Pebble Set with Sync", better: atLeast, target: 0.5, stet: ours.stet, against: pebbleSide(savers)},
		)
	}
	one := saving{1, 1}
	return append(rows,
		// The first target was 1.7; 1.5 is the later one.
		measure{name: one.String(), peer: "append to a file + fsync", better: atMost, target: 1.5, stet: one.stet, against: fsyncSide})
}

// A saving is a load of Saves on the SQLite engine.
type saving struct{ savers, prompts int }

func (l saving) String() string {
	return fmt.Sprintf("SQLite Save of 1 KB, %s to %s", report.Count(l.savers, "saver"), report.Count(l.prompts, "prompt"))
}

func (l saving) stet(e *env) (side, error) {
	return func() (took sample, err error) {
		s, err := openSQLite(e.ctx, e.path("stet.db"))
		if err != nil {
			return took, err
		}
		defer func() { err = cmp.Or(err, s.close()) }()
		ids := promptIDs(l.prompts)
		// The prompts are there already, as they mostly are.
		if err := (fill{ids: ids, versions: 1, size: kilobyte}).into(e.ctx, s); err != nil {
			return took, err
		}
		return durable(e, l.savers).run(e.ctx, func(worker, n int) error {
			return s.save(e.ctx, draft{id: ids[worker%l.prompts], text: text(worker, n, kilobyte)})
		})
	}, nil
}

// durable is the load of all sides here: one operation a call, as many as there is
// time for.
func durable(e *env, workers int) load {
	return load{workers: workers, batch: 1, lap: e.durableLap()}
}

// key is what a peer keeps a worker's n-th value under: 16 bytes, ascending for each
// worker, which is the order that a B-tree and a log-structured tree like best.
func key(worker, n int) []byte {
	k := make([]byte, 0, 16)
	k = binary.BigEndian.AppendUint64(k, uint64(worker))
	return binary.BigEndian.AppendUint64(k, uint64(n))
}
