package main

import "go.etcd.io/bbolt"

// bboltSide puts kilobytes into bbolt with Batch, which gathers the calls of many
// goroutines into one transaction with one sync.
//
// It is configured for this load, and nothing about it is less durable than by
// default. A batch begins when all savers wait in it: with the default size, 1,000,
// which savers that wait for their answers never reach, each batch would wait out
// its 10 ms, and that is two times slower. Smaller batches and shorter delays (32,
// 64; 0, 1 ms) were tried in turn with this one and are slower or equal. bbolt is
// also spared what stores of its kind usually are: writing its free list (as etcd
// has it; the list is rebuilt when opening) and growing its memory map.
func bboltSide(workers int) opener {
	return func(e *env) (side, error) {
		return func() (took sample, err error) {
			db, err := bbolt.Open(e.path("bbolt"), 0o644, &bbolt.Options{
				FreelistType:    bbolt.FreelistMapType,
				NoFreelistSync:  true,
				InitialMmapSize: 1 << 30,
			})
			if err != nil {
				return took, err
			}
			defer func() { err = firstOf(err, db.Close()) }()
			db.MaxBatchSize = workers

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
