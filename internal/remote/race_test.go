//go:build race

package remote_test

func init() { raced = true }
