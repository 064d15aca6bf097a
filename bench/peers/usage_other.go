//go:build !unix

package peers

import "time"

// processorTime is not known here, and so not in the table.
func processorTime() time.Duration { return 0 }
