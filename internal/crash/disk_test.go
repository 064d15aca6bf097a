package crash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A disk is a directory as the calls of a trace leave it: what is durable, and
// what was written since and may be lost. It is as strict as POSIX: a sync of a
// file makes durable what writes of it had ended before the sync began, and not
// its name; names are durable once the directory is synced.
type disk struct {
	files   []*file
	names   map[string]int // as programs see them
	durable map[string]int // as they are surely on the disk
	renames []*change      // of names, not yet durable
}

// A file is what is durable of it, and what is not yet.
type file struct {
	bytes   []byte
	pending []*change
}

// A change is one of a file or of names.
type change struct {
	off  int64
	data []byte // nil cuts the file at off
	done bool

	from, to string // of names: a file made has no from, one removed no to
	file     int
}

func newDisk() *disk {
	return &disk{names: make(map[string]int), durable: make(map[string]int)}
}

// take carries out a step.
func (d *disk) take(s step) {
	c := s.call
	if s.begin {
		d.begin(c)
		return
	}
	if c.wrote != nil {
		c.wrote.done = true
	}
	switch {
	case c.name == "fsync" || c.name == "fdatasync":
		if !c.fail {
			d.synced(c)
		}
	case c.fail: // what it began did not happen
		if c.wrote != nil && c.wrote.data != nil {
			d.drop(c)
		}
	case c.make && !has(d.names, c.path):
		d.files = append(d.files, new(file))
		d.rename(&change{to: c.path, file: len(d.files) - 1})
	case c.name == "unlink" || c.name == "unlinkat":
		d.rename(&change{from: c.path})
	case strings.HasPrefix(c.name, "link"):
		d.rename(&change{to: c.to, file: d.names[c.path]})
	case c.to != "":
		d.rename(&change{from: c.path, to: c.to, file: d.names[c.path]})
	}
	if c.cut && !c.fail {
		f := d.files[d.names[c.path]]
		f.pending = append(f.pending, &change{done: true})
	}
}

// ended says that the process has: what it had begun to write is written.
func (d *disk) ended() {
	for _, f := range d.files {
		for _, ch := range f.pending {
			ch.done = true
		}
	}
}

func has(names map[string]int, name string) bool {
	_, ok := names[name]
	return ok
}

func (d *disk) begin(c *call) {
	switch c.name {
	case "pwrite64", "ftruncate":
		n, ok := d.names[c.path]
		if !ok {
			return // it was removed, and is still open
		}
		c.wrote = &change{off: c.off, data: c.data}
		d.files[n].pending = append(d.files[n].pending, c.wrote)
	case "fsync", "fdatasync":
		c.covers = nil
		all := d.renames
		if c.path != "." {
			n, ok := d.names[c.path]
			if !ok {
				return
			}
			all = d.files[n].pending
		}
		for _, ch := range all {
			if ch.done {
				c.covers = append(c.covers, ch)
			}
		}
	}
}

func (d *disk) drop(c *call) {
	f := d.files[d.names[c.path]]
	f.pending = slices.DeleteFunc(f.pending, func(ch *change) bool { return ch == c.wrote })
}

func (d *disk) rename(ch *change) {
	ch.done = true
	d.renames = append(d.renames, ch)
	ch.rename(d.names)
}

func (ch *change) rename(names map[string]int) {
	if ch.from != "" && !has(names, ch.from) {
		return // it never got there
	}
	delete(names, ch.from)
	if ch.to != "" {
		names[ch.to] = ch.file
	}
}

func (d *disk) synced(c *call) {
	covered := make(map[*change]bool, len(c.covers))
	for _, ch := range c.covers {
		covered[ch] = true
	}
	is := func(ch *change) bool { return covered[ch] }
	if c.path == "." {
		for _, ch := range c.covers {
			ch.rename(d.durable)
		}
		d.renames = slices.DeleteFunc(d.renames, is)
		return
	}
	n, ok := d.names[c.path]
	if !ok {
		return
	}
	f := d.files[n]
	for _, ch := range c.covers {
		f.bytes = ch.apply(f.bytes)
	}
	f.pending = slices.DeleteFunc(f.pending, is)
}

// apply carries a change out on bytes, which it may change.
func (ch *change) apply(b []byte) []byte {
	if ch.data == nil {
		if int64(len(b)) > ch.off {
			return b[:ch.off]
		}
		return extend(b, ch.off)
	}
	b = extend(b, ch.off+int64(len(ch.data)))
	copy(b[ch.off:], ch.data)
	return b
}

func extend(b []byte, size int64) []byte {
	if int64(len(b)) < size {
		b = append(b, make([]byte, size-int64(len(b)))...)
	}
	return b
}

// seen returns a file as programs see it.
func (d *disk) seen(name string) []byte {
	f := d.files[d.names[name]]
	b := slices.Clone(f.bytes)
	for _, ch := range f.pending {
		b = ch.apply(b)
	}
	return b
}

// difference holds what programs see against the real directory: nil, or the
// bytes of one file that are otherwise.
func (d *disk) difference(dir string) *change {
	for name := range d.names {
		real, err := os.ReadFile(filepath.Join(dir, name))
		b := d.seen(name)
		if err != nil || len(b) > len(real) {
			return &change{to: name, data: b}
		}
		from, to := 0, len(real)
		for from < len(b) && b[from] == real[from] {
			from++
		}
		for to > from && to <= len(b) && b[to-1] == real[to-1] {
			to--
		}
		if from < to {
			return &change{to: name, off: int64(from), data: slices.Clone(real[from:to])}
		}
	}
	return nil
}

// A loss is how much of what was not synced a loss of power takes.
type loss struct {
	names float64 // the part of the changes of names that were made durable
	kept  float64 // the part of the blocks that were
	block int64   // the size of a block: what is written whole or not at all; 0 for a whole write
	grow  bool    // a file may have its new size without what was written there
}

func (l loss) String() string {
	return fmt.Sprintf("%.0f %% of names and %.0f %% of blocks of %d bytes kept, sizes: %t", 100*l.names, 100*l.kept, l.block, l.grow)
}

func drawLoss(rng *rand.Rand) loss {
	return loss{
		names: []float64{0, 0.5, 1}[rng.IntN(3)],
		kept:  []float64{0, 0.1, 0.5, 0.9, 0.98, 1}[rng.IntN(6)],
		block: []int64{512, 4096, 0}[rng.IntN(3)],
		grow:  rng.IntN(4) == 0,
	}
}

// lose writes to a directory what a loss of power may leave.
func (d *disk) lose(dir string, rng *rand.Rand, l loss) error {
	names := maps.Clone(d.durable)
	for _, ch := range d.renames {
		if rng.Float64() < l.names {
			ch.rename(names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := d.files[names[name]]
		b := slices.Clone(f.bytes)
		for _, ch := range f.pending {
			b = l.some(b, ch, rng)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// some applies some blocks of a change.
func (l loss) some(b []byte, ch *change, rng *rand.Rand) []byte {
	if ch.data == nil {
		if rng.Float64() < l.kept {
			return ch.apply(b)
		}
		return b
	}
	end := ch.off + int64(len(ch.data))
	if l.grow && rng.IntN(2) == 0 {
		b = extend(b, end)
	}
	for from := ch.off; from < end; {
		to := end
		if l.block > 0 {
			to = min(end, (from/l.block+1)*l.block)
		}
		if rng.Float64() < l.kept {
			part := change{off: from, data: ch.data[from-ch.off : to-ch.off]}
			b = part.apply(b)
		}
		from = to
	}
	return b
}
