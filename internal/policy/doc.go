// Package policy keeps what the design says of the code as a whole: which way
// imports point, what does no I/O, what has a comment, how tests wait. Its test
// holds the repository against the rules; every rule is shown to fail on a tree
// that breaks it.
//
// A rule that is wrong for one place gets an entry in exceptions, with the reason.
package policy
