//go:build mutants

package mutant

import (
	"runtime"
	"sync"
	"sync/atomic"
)

var (
	active atomic.Uint32
	shared atomic.Pointer[sync.Map]
)

// On tells whether the defect is to be shown.
func On(m Mutant) bool { return active.Load() == uint32(m) }

// Set shows one defect, None for none, in all stores of the process.
func Set(m Mutant) {
	shared.Store(new(sync.Map))
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

// Shared returns the value that was first given for the key.
func Shared[K comparable, V any](key K, v V) V {
	m := shared.Load()
	if m == nil {
		return v
	}
	first, _ := m.LoadOrStore(key, v)
	return first.(V)
}
