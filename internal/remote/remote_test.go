package remote_test

import (
	"context"
	"flag"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/internal/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seeds is how many bad days there are: go test ./internal/remote -seeds 100
var seeds = flag.Uint64("seeds", 3, "run the suite with this many seeds")

// raced says that the race detector is on.
var raced bool

// days are the faults that the suite runs with. A failure names its day, and with
// it the seed: go test -run 'TestStore/seed=2,handles=2/save'
//
// Under the race detector there is a good one and a bad one: what they show it does not
// depend on the seed, and it keeps memory for each bubble in which a timer has fired
// until the process ends. make survive runs them all, without it.
func days(t *testing.T, run func(t *testing.T, h drivertest.Harness)) {
	for _, handles := range []int{1, 2} {
		if raced && handles == 1 {
			continue
		}
		t.Run(fmt.Sprintf("good,handles=%d", handles), func(t *testing.T) { run(t, harness(remote.Faults{}, handles)) })
		for seed := range *seeds {
			if raced && seed > 0 {
				break
			}
			t.Run(fmt.Sprintf("seed=%d,handles=%d", seed+1, handles), func(t *testing.T) { run(t, harness(remote.Bad(seed+1), handles)) })
		}
	}
}

func harness(f remote.Faults, handles int) drivertest.Harness {
	server := func(log driver.Log) *remote.Server { return log.(*remote.Log).Server() }
	return drivertest.Harness{
		OpenLog: func(context.Context) (driver.Log, error) { return remote.NewServer(f).Open(), nil },
		Reopen: func(_ context.Context, log driver.Log) (driver.Log, error) {
			return server(log).Open(), log.Close()
		},
		Another:    func(_ context.Context, log driver.Log) (driver.Log, error) { return server(log).Open(), nil },
		Sweep:      func(_ context.Context, log driver.Log) error { server(log).Sweep(); return nil },
		Handles:    handles,
		Unreliable: f != remote.Faults{},
		Bubble:     true,
	}
}

func TestStore(t *testing.T) { days(t, drivertest.TestStore) }

func TestLog(t *testing.T) { days(t, drivertest.TestLog) }

func TestHeap(t *testing.T) { drivertest.TestHeap(t, harness(remote.Faults{}, 2)) }

// TestProof runs one bad day with two processes: it takes half a minute a day, and
// more of them are for -seeds.
func TestProof(t *testing.T) { drivertest.TestProof(t, harness(remote.Bad(1), 2)) }
