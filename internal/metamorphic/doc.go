// Package metamorphic is the evidence that how a store is run makes no difference
// to what it answers: which engine, how large its cache, its batches and its pages
// are, how many processors there are, whether it was closed and opened again, and
// whether it was then read from a checkpoint or from its log. It is made of tests
// alone; drivertest.TestMetamorphic says what is compared.
//
// make metamorphic runs the long form, the tests a short one.
package metamorphic
