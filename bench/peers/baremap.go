package peers

import (
	"fmt"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"
)

// A bareMap is the least that a store with readers that never wait can do to find a
// prompt: one load of a concurrent map, default configuration, and one load of the
// atomic pointer to the prompt's current state. It parses nothing, validates
// nothing, resolves no selector and builds no result.
type bareMap struct {
	prompts *xsync.Map[string, *barePrompt]
}

type barePrompt struct{ head atomic.Pointer[bareHead] }

type bareHead struct{ version string }

func newBareMap(ids []string) bareMap {
	m := bareMap{xsync.NewMap[string, *barePrompt]()}
	for _, id := range ids {
		p := new(barePrompt)
		p.head.Store(&bareHead{version: "1.0.0"})
		m.prompts.Store(id, p)
	}
	return m
}

// get is store.get for the map: the same loop, the same errors to look for. It does
// not touch what the pointer points at.
func (m bareMap) get(ids []string, first, n int) error {
	mask := len(ids) - 1
	for i := first; i < first+n; i++ {
		p, ok := m.prompts.Load(ids[i&mask])
		if !ok || p.head.Load() == nil {
			return fmt.Errorf("bare map: no %q", ids[i&mask])
		}
	}
	return nil
}
