//go:build !unix

package main

import "time"

// processorTime is not known here, and so not in the table.
func processorTime() time.Duration { return 0 }
