package core

import (
	"runtime"
	"sync"
	"sync/atomic"
)

var (
	mutantSwitch atomic.Pointer[string]
	mutantState  atomic.Pointer[mutantMemory]
)

// mutantMemory is what mutants remember. Each SetMutant makes a new one, so that the
// channel belongs to the testing/synctest bubble in which SetMutant is called.
type mutantMemory struct {
	values sync.Map
	lock   chan struct{}
}

func init() { SetMutant("") }

// SetMutant switches one mutant on, "" for none, in all stores of the process.
func SetMutant(name string) {
	mutantState.Store(&mutantMemory{lock: make(chan struct{}, 1)})
	mutantSwitch.Store(&name)
}

// mutantOn reports whether a mutant is switched on.
func mutantOn(name string) bool { return *mutantSwitch.Load() == name }

// mutantDelays is how often a mutant yields between two steps: enough that others
// nearly always come between.
const mutantDelays = 20

// mutantDelay lets others run between two steps of a mutant.
func mutantDelay() {
	for range mutantDelays {
		runtime.Gosched()
	}
}

// mutantLock takes a lock that all mutants share, mutantUnlock gives it back.
func mutantLock()   { mutantState.Load().lock <- struct{}{} }
func mutantUnlock() { <-mutantState.Load().lock }

// mutantShared returns the value that was first given for the key.
func mutantShared[K comparable, V any](key K, v V) V {
	first, _ := mutantState.Load().values.LoadOrStore(key, v)
	return first.(V)
}
