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

// A Harness gives the cases what they are to try. Set OpenLog for an engine, or
// OpenStore alone for something that has no log, a client of a server. A case
// that needs more than the harness has is not in what it runs; it is not skipped
// in silence either: [Harness.Has] tells.
type Harness struct {
	// OpenLog returns a new, empty log. The case closes it.
	OpenLog func(ctx context.Context) (driver.Log, error)

	// OpenStore returns a new, empty store with the options: what stet.New makes
	// of OpenLog if nil. The case closes it.
	OpenStore func(ctx context.Context, o core.Options) (*stet.Store, error)

	// Reopen closes a log and opens the same data again. It is nil for an engine
	// whose data does not survive that.
	Reopen func(ctx context.Context, log driver.Log) (driver.Log, error)

	// Another opens one more handle on a log that is open, as another process
	// would. It is nil for an engine that allows only one (Info.Exclusive).
	Another func(ctx context.Context, log driver.Log) (driver.Log, error)

	// Handles is how many stores, over as many handles on one log, a case's
	// calls are spread over, one after the other: 1 if 0. More need Another.
	Handles int

	// Options are given to every store, but for the clock, which is the case's.
	Options core.Options

	// Unreliable says that answers get lost on purpose: an outcome that is
	// unknown or unavailable is then settled by sending the same again, as a
	// caller would. Otherwise it is a failure.
	Unreliable bool

	// Sweep makes an engine that removes dropped bodies later do so now. It is
	// nil for one that has removed them when Append returns.
	Sweep func(ctx context.Context, log driver.Log) error

	// Bubble runs each case in a testing/synctest bubble, in which waiting takes
	// no time. It is for engines that do no I/O.
	Bubble bool
}

// A Need is something that not every harness has.
type Need int

// The needs of cases.
const (
	NeedNothing Need = iota
	NeedLog          // OpenLog: the case wraps a log
	NeedReopen       // OpenLog and Reopen
	NeedAnother      // OpenLog and Another
)

// Has tells whether the harness has what a case needs.
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
	// Name is a path of words: "save/number-never-reused".
	Name string
	// Rule is the sentence that the case checks.
	Rule string
	// Need is what the harness must have.
	Need Need
	// Run returns nil if the rule holds, and otherwise all that it found wrong.
	// It leaves nothing open and nothing running.
	Run func(ctx context.Context, h *Harness) error
}

// Cases returns the cases for the operations of a store.
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

// LogCases returns the cases for the contract of an engine's log.
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

// TestStore runs Cases.
func TestStore(t *testing.T, h Harness) { test(t, &h, Cases()) }

// TestLog runs LogCases.
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
