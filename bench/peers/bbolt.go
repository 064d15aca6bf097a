package peers

import (
	"cmp"
	"go.etcd.io/bbolt"
)

// bboltSide puts kilobytes into bbolt with Batch, which gathers the calls of many
// goroutines into one transaction with one sync.
//
// As it is delivered, a batch begins when 1,000 calls wait in it or 10 ms are over.
// Savers that wait for their answers never are so many, so each batch waits out its
// time. That is the peer of the target, which was set with such figures.
//
// Tuned, it is configured for this very load, and nothing about it is less durable:
// a batch begins when all savers wait in it. Smaller batches and shorter delays (32,
// 64; 0, 1 ms) were tried in turn with this one and are slower or equal. It is
// also spared what stores of its kind usually are: writing its free list (as etcd
// has it; the list is rebuilt when opening) and growing its memory map.
func bboltSide(workers int, tuned bool) opener {
	return func(e *env) (side, error) {
		return func() (took sample, err error) {
			var o *bbolt.Options
			if tuned {
				o = &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: 1 << 30}
			}
			db, err := bbolt.Open(e.path("bbolt"), 0o644, o)
			if err != nil {
				return took, err
			}
			defer func() { err = cmp.Or(err, db.Close()) }()
			if tuned {
				db.MaxBatchSize = workers
			}

			bucket := []byte("versions")
			err = db.Update(func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket(bucket)
				return err
			})
			if err != nil {
				return took, err
			}
			return durable(e, workers).run(e.ctx, func(worker, n int) error {
				k, v := key(worker, n), value(worker, n, kilobyte)
				return db.Batch(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put(k, v) })
			})
		}, nil
	}
}
