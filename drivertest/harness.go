package drivertest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A Harness opens what the cases test. Set OpenLog for an engine, or only OpenStore for a
// store without a log, such as the client of a server. Cases that need more than the
// harness has are not run; [Harness.Has] reports which.
type Harness struct {
	// OpenLog returns a new, empty log. The case closes it.
	OpenLog func(ctx context.Context) (driver.Log, error)

	// OpenStore returns a new, empty store with the given options. The case closes it. If
	// it is nil, core.Open makes a store of what OpenLog returns.
	OpenStore func(ctx context.Context, o core.Options) (*stet.Store, error)

	// Reopen closes a log and opens the same data again. It is nil for an engine
	// whose data does not survive that.
	Reopen func(ctx context.Context, log driver.Log) (driver.Log, error)

	// Another opens one more handle on a log that is open, as another process would. It
	// is nil for an engine that allows only one (Info.Exclusive).
	Another func(ctx context.Context, log driver.Log) (driver.Log, error)

	// Handles is over how many stores, each with its own handle on one log, the calls of a
	// case are spread in turn: 1 if 0. More than 1 needs Another.
	Handles int

	// Options are the options of every store, except Now, which each case sets.
	Options core.Options

	// Unreliable says that the engine loses answers on purpose. A call whose outcome is
	// unknown or unavailable is then sent again, as a caller would do. Otherwise such an
	// outcome is a failure.
	Unreliable bool

	// Sweep removes the dropped bodies of an engine that removes them later. It is nil for
	// an engine that has removed them when Append returns.
	Sweep func(ctx context.Context, log driver.Log) error

	// Bubble runs each case in a testing/synctest bubble, in which waiting takes
	// no time. It is for engines that do no I/O.
	Bubble bool
}

// A Need says what a case needs of a harness.
type Need int

// The needs of cases.
const (
	NeedNothing Need = iota
	NeedLog          // OpenLog: the case wraps a log
	NeedReopen       // OpenLog and Reopen
	NeedAnother      // OpenLog and Another
)

// Has reports whether the harness has what n says.
func (h *Harness) Has(n Need) bool {
	switch n {
	case NeedLog:
		return h.OpenLog != nil
	case NeedReopen:
		return h.OpenLog != nil && h.Reopen != nil
	case NeedAnother:
		return h.OpenLog != nil && h.Another != nil
	}
	return h.OpenLog != nil || h.OpenStore != nil
}

// A Case checks one rule.
type Case struct {
	// Name is the case's name, such as "save/number-never-reused".
	Name string
	// Rule is the sentence that the case checks.
	Rule string
	// Need is what the harness must have.
	Need Need
	// Run returns nil if the rule holds, and otherwise an error with everything that is
	// wrong. It closes what it opens, and waits for the goroutines that it starts.
	Run func(ctx context.Context, h *Harness) error
}

// Cases returns the cases about the operations of a store.
func Cases() []Case {
	return join(
		saveCases, bumpCases, expectCases, parentCases,
		getCases, rangeCases, digestCases, renderCases,
		labelCases, rollbackCases, deleteCases, clearCases,
		commitCases, onceCases, batchCases,
		listCases, promptsCases, historyCases, pastCases, manyCases, changesCases,
		immutableCases, badInputCases, messageCases,
		stuckCases, contextCases, closeCases, busyCloseCases, reopenCases, sharedCases, copyCases,
	)
}

// LogCases returns the cases about the contract of [driver.Log].
func LogCases() []Case {
	return join(logAppendCases, logReadCases, logBodyCases, logSharedCases, logWaitCases, logCheckpointCases, logCloseCases)
}

func join(lists ...[]Case) []Case {
	var all []Case
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// TestStore runs Cases as subtests.
func TestStore(t *testing.T, h Harness) { test(t, &h, Cases()) }

// TestLog runs LogCases as subtests.
func TestLog(t *testing.T, h Harness) { test(t, &h, LogCases()) }

func test(t *testing.T, h *Harness, cases []Case) {
	for _, c := range cases {
		if !h.Has(c.Need) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			run := func(t *testing.T) {
				if err := c.Run(t.Context(), h); err != nil {
					t.Errorf("%v\nthe rule: %s", err, c.Rule)
				}
			}
			if h.Bubble {
				synctest.Test(t, run)
			} else {
				run(t)
			}
		})
	}
}

// openStore opens a new, empty store with a case's options.
func (h *Harness) openStore(ctx context.Context, o core.Options) (*stet.Store, driver.Log, error) {
	if h.OpenStore != nil {
		s, err := h.OpenStore(ctx, o)
		return s, nil, err
	}
	if h.OpenLog == nil {
		return nil, nil, errors.New("the harness has neither OpenLog nor OpenStore")
	}
	log, err := h.OpenLog(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := core.Open(ctx, log, &o)
	return s, log, err
}
