package core

// VerifyAtOnce sets how many versions Verify builds anew at a time, and returns what
// undoes that.
func VerifyAtOnce(n int) (undo func()) {
	was := verifyAtOnce
	verifyAtOnce = n
	return func() { verifyAtOnce = was }
}

// Core is what a store is over an engine.
type Core = core
