// Package crash is the evidence that the SQLite engine keeps what it has
// acknowledged. It is made of tests alone:
//
//   - a process that commits from 16 goroutines is killed again and again;
//   - the system calls of such a process are traced, and what a loss of power
//     could have left at each moment is built from the trace and opened;
//   - each write and each sync fails in turn, and a small file system fills up.
//
// All of them keep a [ledger] of what callers were told, and hold what is opened
// afterwards against it. What a caller asks for is a function of a seed, so that
// the checks know what was tried without being told.
//
// make crash and make faults run the long form, the tests a short one.
package crash
