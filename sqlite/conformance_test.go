package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/sqlite"
)

func harness(t *testing.T) drivertest.Harness {
	dir := t.TempDir()
	var n atomic.Int64
	return drivertest.Harness{
		OpenLog: func(ctx context.Context) (driver.Log, error) {
			return sqlite.OpenLog(ctx, filepath.Join(dir, fmt.Sprintf("%d.db", n.Add(1))), nil)
		},
		Reopen: func(ctx context.Context, log driver.Log) (driver.Log, error) {
			if err := log.Close(); err != nil {
				return nil, err
			}
			return sqlite.OpenLog(ctx, log.(*sqlite.Log).Path(), nil)
		},
		Sweep: func(_ context.Context, log driver.Log) error {
			log.(*sqlite.Log).Sweep()
			return nil
		},
	}
}

func TestLog(t *testing.T)   { drivertest.TestLog(t, harness(t)) }
func TestStore(t *testing.T) { drivertest.TestStore(t, harness(t)) }
func TestHeap(t *testing.T)  { drivertest.TestHeap(t, harness(t)) }
func TestProof(t *testing.T) { drivertest.TestProof(t, harness(t)) }
