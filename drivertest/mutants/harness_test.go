package mutants

import (
	"context"
	"sync/atomic"

	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

// The harnesses: the memory engine as it is, the same with the real clock (in a
// bubble, a reader in a loop and a writer take turns), as one that several stores
// share, and as one that does not keep bodies in memory, with no cache before it.
var harnesses = map[string]*drivertest.Harness{
	"clock":  {OpenLog: open},
	"memory": {OpenLog: open},
	"shared": {OpenLog: openShared, Another: another},
	"cold":   {OpenLog: openCold, Options: core.Options{CacheBytes: -1}},
}

func open(context.Context) (driver.Log, error) { return memory.New(), nil }

// sharedLog is one of several handles on a log.
type sharedLog struct {
	*memory.Log
	handles *atomic.Int32
}

func openShared(context.Context) (driver.Log, error) {
	l := sharedLog{memory.New(), new(atomic.Int32)}
	l.handles.Add(1)
	return l, nil
}

func another(_ context.Context, log driver.Log) (driver.Log, error) {
	l := log.(sharedLog)
	l.handles.Add(1)
	return l, nil
}

func (l sharedLog) Info() driver.Info {
	i := l.Log.Info()
	i.Exclusive = false
	return i
}

func (l sharedLog) Close() error {
	if l.handles.Add(-1) > 0 {
		return nil
	}
	return l.Log.Close()
}

type coldLog struct{ *memory.Log }

func openCold(context.Context) (driver.Log, error) { return coldLog{memory.New()}, nil }

func (l coldLog) Info() driver.Info {
	i := l.Log.Info()
	i.Resident = false
	return i
}
