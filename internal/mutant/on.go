//go:build mutants

package mutant

import (
	"runtime"
	"sync"
	"sync/atomic"
)

var (
	active atomic.Uint32
	state  atomic.Pointer[memory]
)

// memory is what mutants share. Each Set makes a new one, so that the channel
// belongs to the testing/synctest bubble in which Set is called.
type memory struct {
	values sync.Map
	lock   chan struct{}
}

func init() { Set(None) }

// On tells whether the defect is to be shown.
func On(m Mutant) bool { return active.Load() == uint32(m) }

// Set shows one defect, None for none, in all stores of the process.
func Set(m Mutant) {
	state.Store(&memory{lock: make(chan struct{}, 1)})
	active.Store(uint32(m))
}

// delays is how often a mutant yields between two steps: enough that others
// nearly always come between.
const delays = 20

// Delay lets others run between two steps of a mutant.
func Delay() {
	for range delays {
		runtime.Gosched()
	}
}

// Lock and Unlock are the lock that a mutant takes; Pass takes it for a moment.
func Lock()   { state.Load().lock <- struct{}{} }
func Unlock() { <-state.Load().lock }
func Pass()   { Lock(); Unlock() }

// Shared returns the value that was first given for the key.
func Shared[K comparable, V any](key K, v V) V {
	first, _ := state.Load().values.LoadOrStore(key, v)
	return first.(V)
}
