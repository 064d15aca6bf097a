//go:build !mutants

package mutant

// On tells whether the defect is to be shown. It never is, in this build.
func On(Mutant) bool { return false }

// Delay lets others run between two steps of a mutant.
func Delay() {}

// Lock and Unlock are the lock that a mutant takes; Pass takes it for a moment.
func Lock()   {}
func Unlock() {}
func Pass()   {}

// Shared returns the value that was first given for the key. In this build it
// returns v.
func Shared[K comparable, V any](_ K, v V) V { return v }
