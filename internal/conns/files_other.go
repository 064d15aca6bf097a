//go:build !unix

package conns

// Files returns how many files the program may have open: any number.
func Files() int { return plenty }
