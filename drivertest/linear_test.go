package drivertest_test

import (
	"flag"
	"testing"

	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

var historyFlag = flag.String("history", "", "a history to check again")

// TestRecheck checks a history again that a case has saved when it failed.
func TestRecheck(t *testing.T) {
	if *historyFlag == "" {
		return
	}
	h, err := drivertest.ReadHistory(*historyFlag)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Check(); err != nil {
		t.Errorf("%d calls of seed %d: %v", len(h.Events), h.Seed, err)
	}
}

// TestOriginal shows that the check finds the defect that stet began with, and
// that stet does not have it.
func TestOriginal(t *testing.T) {
	err := drivertest.CheckSix(t.Context(), func() drivertest.Doer { return drivertest.Original(true) })
	if err == nil {
		t.Error("the original with locked maps is taken for linearizable")
	}
	err = drivertest.CheckSix(t.Context(), func() drivertest.Doer {
		s, err := memory.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return drivertest.DoerOf(s)
	})
	if err != nil {
		t.Error(err)
	}
}
