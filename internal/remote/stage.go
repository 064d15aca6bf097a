package remote

import (
	"context"
	"maps"
	"slices"

	"github.com/stet-dev/stet/driver"
)

// pieces cuts into pieces what must be staged for entries.
func pieces(entries []driver.Entry) map[part]piece {
	all := make(map[part]piece)
	for i := range entries {
		for j, b := range entries[i].Bodies {
			cut := func(kind byte, data string) {
				for n := 0; ; n++ {
					k := min(len(data), maxPiece)
					all[part{i, j, n, kind}] = piece{b.BodyRef, data[:k]}
					if data = data[k:]; data == "" {
						return
					}
				}
			}
			cut('t', b.Text)
			cut('f', b.Fields)
		}
		for j, ref := range entries[i].Dropped {
			all[part{i, j, 0, 'd'}] = piece{ref: ref}
		}
	}
	return all
}

func before(a, b part) int {
	for _, d := range []int{a.entry - b.entry, int(a.kind) - int(b.kind), a.op - b.op, a.n - b.n} {
		if d != 0 {
			return d
		}
	}
	return 0
}

// stage sends pieces, as many in a request as fit.
func (l *Log) stage(ctx context.Context, attempt string, all map[part]piece) error {
	batch, bytes := make(map[part]piece), 0
	flush := func() (err error) {
		if len(batch) == 0 {
			return nil
		}
		send := batch
		for range stageTries {
			err = l.server.request(len(send), bytes, func() error {
				staged := l.server.staged[attempt]
				if staged == nil {
					staged = make(map[part]piece)
					l.server.staged[attempt] = staged
				}
				maps.Copy(staged, send)
				return nil
			})
			if err == nil || ctx.Err() != nil {
				break
			}
		}
		batch, bytes = make(map[part]piece), 0
		return err
	}
	for _, k := range slices.SortedFunc(maps.Keys(all), before) {
		p := all[k]
		size := len(p.data) + len(p.ref.PromptID) + len(p.ref.Version) + 64
		if len(batch) == MaxRequestOps || bytes+size > MaxRequestBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		batch[k] = p
		bytes += size
	}
	return flush()
}
