package peers

import (
	"cmp"
	"os"
)

// fsyncSide appends a kilobyte to a file and calls fsync, over and over: the least
// that a durable save can be. The file grows, as a log does, so each fsync writes
// the file's size as well as its data; it is neither preallocated nor opened with
// O_DSYNC.
func fsyncSide(e *env) (side, error) {
	return func() (took sample, err error) {
		f, err := os.OpenFile(e.path("append"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return took, err
		}
		defer func() { err = cmp.Or(err, f.Close()) }()
		return durable(e, 1).run(e.ctx, func(worker, n int) error {
			if _, err := f.Write(value(worker, n, kilobyte)); err != nil {
				return err
			}
			return f.Sync()
		})
	}, nil
}
