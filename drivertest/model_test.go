package drivertest_test

import (
	"context"
	"testing"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

func memoryHarness() drivertest.Harness {
	return drivertest.Harness{OpenLog: func(context.Context) (driver.Log, error) { return memory.New(), nil }}
}

func TestProof(t *testing.T) { drivertest.TestProof(t, memoryHarness()) }
