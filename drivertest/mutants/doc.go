// Package mutants shows that the suite can fail: it puts known defects into the
// real code and asserts which case finds each.
//
//	go test -v ./drivertest/mutants -catch
//
// prints the table. Without -catch only the files of testdata are checked.
//
// A mutant is a file of testdata, NAME.txtar. It says what the defect is, which trap
// of docs/design.md it is (if it is one), which case finds it, and with which harness
// (memory unless it says another). Then come the replacements: whole lines of a file
// as they stand there, and what the mutant has instead.
//
//	A duplicate of a refused commit is decided anew.
//
//	Trap: 18
//	Case: once/refused
//
//	-- core/commit.go --
//			if r.outcome.final {
//	-- becomes --
//			if r.outcome.final && !mutantOn("refusal-forgotten") {
//
// The lines must stand in the file exactly once, and no two mutants may replace the
// same line: all of them are built together, laid over the code with go test -overlay.
// Each replacement asks mutantOn, with the name of its own mutant, whether to differ.
// So a change to the code that a mutant rests on fails here until its file is adapted.
//
// The files under testdata/overlay are added to the tree for that build. They have
// mutantOn and the other helpers of mutants, for package core.
package mutants
