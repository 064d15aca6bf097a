// Package drivertest is the definition of a correct engine, and of a correct
// store over it.
//
// It holds cases, one a rule, each with the sentence that it checks. [Cases]
// are for the operations: they see a store from outside, so that they hold for
// core over any engine and for a client of a server. [LogCases] are for the
// contract of [driver.Log], every sentence of it.
//
// An engine runs them in its own tests:
//
//	func TestStore(t *testing.T) { drivertest.TestStore(t, harness) }
//	func TestLog(t *testing.T)   { drivertest.TestLog(t, harness) }
//
// A case is a function that returns what it found wrong as an error, so that it
// can also be run against something broken and be seen to fail.
package drivertest
