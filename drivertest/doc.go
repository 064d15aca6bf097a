// Package drivertest is the definition of a correct engine, and of a correct
// store over it.
//
// Each case checks one rule, which it states as a sentence. [Cases] are about the
// operations of a store: they use only its methods, so that they apply to core over any
// engine, and to the client of a server. [LogCases] are about the contract of
// [driver.Log], every sentence of it.
//
// An engine runs the cases in its own tests:
//
//	func TestStore(t *testing.T) { drivertest.TestStore(t, harness) }
//	func TestLog(t *testing.T)   { drivertest.TestLog(t, harness) }
//
// A case returns an error if its rule is broken, instead of failing a test, so that tests
// can run it on a broken store and see it fail.
package drivertest
