// Package mutants shows that the suite can fail: it puts known defects into the
// real code, one after the other, and asserts which case finds each.
//
//	go test -tags mutants ./drivertest/mutants -v
//
// prints the table.
package mutants
