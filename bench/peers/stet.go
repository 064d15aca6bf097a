package peers

// This file and stet_server.go are all that know stet's API. The rest of the module
// measures the small functions here, which add nothing to what they call.

import (
	"context"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// A store is a stet store of any engine.
type store struct{ s *stet.Store }

// openMemory opens an empty store of the memory engine.
func openMemory() (store, error) {
	s, err := memory.Open(nil)
	return store{s}, err
}

// openSQLite opens the store in the file path, with the engine's defaults: no
// option makes it faster than what a caller gets.
func openSQLite(ctx context.Context, path string) (store, error) {
	s, err := sqlite.Open(ctx, path, nil)
	return store{s}, err
}

func (s store) close() error { return s.s.Close() }

// A draft is a version to save. Without a number the store bumps the patch.
type draft struct{ id, number, text string }

func (d draft) stet() stet.Draft {
	if d.number == "" {
		return stet.Draft{PromptID: d.id, Text: d.text, Bump: "patch"}
	}
	return stet.Draft{PromptID: d.id, Text: d.text, Version: d.number}
}

// A move puts a label on a version.
type move struct{ id, label, number string }

// save saves one version.
func (s store) save(ctx context.Context, d draft) error {
	_, err := s.s.Save(ctx, d.stet())
	return err
}

// commit saves the drafts and then moves the labels, in one commit; it has
// len(drafts)+len(moves) operations.
func (s store) commit(ctx context.Context, drafts []draft, moves []move) error {
	c := stet.Commit{Ops: make([]stet.Op, 0, len(drafts)+len(moves))}
	for _, d := range drafts {
		save := d.stet()
		c.Ops = append(c.Ops, stet.Op{Save: &save})
	}
	for _, m := range moves {
		c.Ops = append(c.Ops, stet.Op{SetLabel: &stet.SetLabel{PromptID: m.id, Label: m.label, Version: m.number}})
	}
	_, err := s.s.Commit(ctx, c)
	return err
}

// get gets n versions: refs[first%len(refs)] and the next ones in turn, where len(refs)
// is a power of two. The loop is here so that nothing stands between it and Get.
func (s store) get(ctx context.Context, refs []string, first, n int) error {
	mask := len(refs) - 1
	for i := first; i < first+n; i++ {
		if _, err := s.s.Get(ctx, refs[i&mask]); err != nil {
			return err
		}
	}
	return nil
}
