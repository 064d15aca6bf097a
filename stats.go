package stet

import "github.com/stet-dev/stet/core"

// Stats are counters of what a store has done in this process. See [core.Stats].
type Stats = core.Stats

// Stats returns the counters of the store since it was opened, for metrics. Those
// of the client of a server are zero: the server has them.
func (s *Store) Stats() Stats {
	if s.core == nil {
		return Stats{}
	}
	return s.core.Stats()
}
