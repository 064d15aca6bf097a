package memory_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var harness = drivertest.Harness{
	OpenLog: func(context.Context) (driver.Log, error) { return memory.New(), nil },
	Bubble:  true,
}

func TestStore(t *testing.T) { drivertest.TestStore(t, harness) }

func TestHeap(t *testing.T) { drivertest.TestHeap(t, harness) }

func TestLog(t *testing.T) { drivertest.TestLog(t, harness) }
