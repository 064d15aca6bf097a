// Package corrupt is the evidence that damage to a store's file is found. It is
// made of tests alone: bits of a closed store are flipped one at a time, and the
// file is cut at random lengths; then it is opened, everything is read, and
// Verify runs. Opening or Verify must say so, or every answer must be what it was;
// and no read returns another text than the one that was saved.
//
// make corrupt runs the long form, the tests a short one.
package corrupt
