package metamorphic

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // to change the size of a store's pages

	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/internal/remote"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWays repeats a failure with -rapid.seed; -rounds says how much is tried.
func TestWays(t *testing.T) {
	d := &disk{dir: t.TempDir()}
	inMemory := func(context.Context) (driver.Log, error) { return memory.New(), nil }
	server := func(log driver.Log) *remote.Server { return log.(*remote.Log).Server() }
	inRemote := func(context.Context) (driver.Log, error) { return remote.NewServer(remote.Faults{}).Open(), nil }
	reopenRemote := func(_ context.Context, log driver.Log) (driver.Log, error) { return server(log).Open(), nil }
	drivertest.TestMetamorphic(t, []drivertest.Way{
		{Name: "in memory", OpenLog: inMemory},
		{Name: "in memory, batches of one, one processor", OpenLog: inMemory, Options: core.Options{MaxBatch: 1}, Procs: 1},
		{Name: "in memory, eight processors", OpenLog: inMemory, Procs: 8},
		{Name: "in SQLite", OpenLog: d.open(0)},
		{Name: "in SQLite, no cache, a checkpoint every 3 commits, reopened", OpenLog: d.open(0), Reopen: d.reopen,
			Options: core.Options{CacheBytes: -1, CheckpointEvery: 3}},
		{Name: "in SQLite, a cache of one, pages of 512 bytes, batches of one, reopened", OpenLog: d.open(512), Reopen: d.reopen,
			Options: core.Options{CacheBytes: 900, MaxBatch: 1}},
		{Name: "in SQLite, pages of 64 KiB, never a checkpoint, replayed when reopened", OpenLog: plain(d.open(65536)), Reopen: d.replay},
		{Name: "remote, reopened", OpenLog: inRemote, Reopen: reopenRemote, Options: core.Options{CacheBytes: -1}},
		{Name: "remote, by two processes", OpenLog: inRemote,
			Another: func(_ context.Context, log driver.Log) (driver.Log, error) { return server(log).Open(), nil }},
	})
}

// A disk has the files of stores.
type disk struct {
	dir  string
	last atomic.Int64
}

type file struct {
	*sqlite.Log
	path string
}

// open opens a new store with pages of a size, the usual size if 0.
func (d *disk) open(pageSize int) func(ctx context.Context) (driver.Log, error) {
	return func(ctx context.Context) (driver.Log, error) {
		path := filepath.Join(d.dir, fmt.Sprintf("%d.db", d.last.Add(1)))
		log, err := sqlite.OpenLog(ctx, path, nil)
		if err != nil || pageSize == 0 {
			return &file{log, path}, err
		}
		if err := log.Close(); err != nil {
			return nil, err
		}
		if err := paged(path, pageSize); err != nil {
			return nil, err
		}
		log, err = sqlite.OpenLog(ctx, path, nil)
		return &file{log, path}, err
	}
}

func (d *disk) reopen(ctx context.Context, log driver.Log) (driver.Log, error) {
	path := log.(*file).path
	l, err := sqlite.OpenLog(ctx, path, nil)
	return &file{l, path}, err
}

// A bare log is one that keeps no checkpoints.
type bare struct{ driver.Log }

func plain(open func(ctx context.Context) (driver.Log, error)) func(ctx context.Context) (driver.Log, error) {
	return func(ctx context.Context) (driver.Log, error) {
		log, err := open(ctx)
		return &bare{log}, err
	}
}

func (d *disk) replay(ctx context.Context, log driver.Log) (driver.Log, error) {
	l, err := d.reopen(ctx, log.(*bare).Log)
	return &bare{l}, err
}

// paged changes the size of a file's pages.
func paged(path string, size int) (err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	db.SetMaxOpenConns(1)
	for _, query := range []string{"PRAGMA journal_mode = DELETE", fmt.Sprintf("PRAGMA page_size = %d", size), "VACUUM"} {
		if _, err := db.Exec(query); err != nil {
			return err
		}
	}
	var got int
	if err := db.QueryRow("PRAGMA page_size").Scan(&got); err != nil || got != size {
		return fmt.Errorf("the pages are of %d bytes, %w", got, err)
	}
	_, err = os.Stat(path)
	return err
}
