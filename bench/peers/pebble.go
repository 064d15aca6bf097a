package peers

import (
	"cmp"
	"context"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleSide puts kilobytes into Pebble with Set and Sync, whose log gathers the
// syncs of many goroutines by itself.
//
// It has the newest format and a memtable of 64 MiB, as CockroachDB gives it: with
// the default of 4 MiB it would flush dozens of times a second under this load. The rest
// is as by default: the log is written and synced (WALMinSyncInterval is 0, so no
// sync is put off), compaction runs beside the writes.
func pebbleSide(workers int) opener {
	return func(e *env) (side, error) {
		return func() (took sample, err error) {
			db, err := pebble.Open(e.path("pebble"), &pebble.Options{
				FormatMajorVersion: pebble.FormatNewest,
				MemTableSize:       64 << 20,
				Logger:             silence{},
			})
			if err != nil {
				return took, err
			}
			defer func() { err = cmp.Or(err, db.Close()) }()
			return durable(e, workers).run(e.ctx, func(worker, n int) error {
				return db.Set(key(worker, n), value(worker, n, kilobyte), pebble.Sync)
			})
		}, nil
	}
}

// silence is a logger that keeps what Pebble says about its work out of the table.
// What goes wrong comes back as an error.
type silence struct{}

func (silence) Infof(string, ...any)                   {}
func (silence) Errorf(string, ...any)                  {}
func (silence) Fatalf(format string, args ...any)      { pebble.DefaultLogger.Fatalf(format, args...) }
func (silence) Eventf(context.Context, string, ...any) {}
func (silence) IsTracingEnabled(context.Context) bool  { return false }
