//go:build !race

package client_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/sqlite"
)

// An engine with a disk behind the server. Not with the race detector, which sees the
// client over memory, and SQLite in its own tests: it keeps six megabytes for good of
// each store that SQLite ever had in the process. So make test runs this by itself.
func TestStoreOverSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var n atomic.Int64
	drivertest.TestStore(t, harness(func(ctx context.Context, o core.Options) (*stet.Store, error) {
		log, err := sqlite.OpenLog(ctx, filepath.Join(dir, fmt.Sprintf("%d.db", n.Add(1))), nil)
		if err != nil {
			return nil, err
		}
		return core.Open(ctx, log, &o)
	}))
}
