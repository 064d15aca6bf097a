// Package race runs the defect that stet began with: many workers save into the
// original store, a dict without a lock, and into stet, and what became of their
// versions is counted.
package race

import (
	"runtime"
	"sync"
)

// A dict is the original InMemoryStorage in Go. It was a Python class over a plain
// dict of lists: save_version looked whether the number was in the prompt's list,
// and if it was not, put the version there. Check, then act, and no lock around the
// two.
//
// Python makes each access to a dict whole, and may run another thread between any
// two. So it is here: load and store hold a lock, as each access did, and nothing
// holds one from a check to its act. (Without any lock Go's runtime would end the
// program when two writers meet on a map: a crash, and nothing to count.) And to
// append is what it is in Go, m[id] = append(m[id], v): read the list, write a
// longer one.
type dict struct {
	mu       sync.Mutex
	versions map[string][]entry
}

type entry struct {
	number int
	text   string
}

func newDict() *dict { return &dict{versions: make(map[string][]entry)} }

func (d *dict) load(id string) []entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.versions[id]
}

func (d *dict) store(id string, versions []entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.versions[id] = versions
}

// latest is get_latest_version: the highest number, 0 if there is none.
func (d *dict) latest(id string) int {
	highest := 0
	for _, e := range d.load(id) {
		highest = max(highest, e.number)
	}
	return highest
}

// save is save_version: it tells whether the version was accepted. The check and
// the act are two steps; that is the defect.
func (d *dict) save(id string, number int, text string) bool {
	versions := d.load(id)
	for _, e := range versions {
		if e.number == number {
			return false
		}
	}
	runtime.Gosched() // here the interpreter may run another thread, and at times does
	d.store(id, append(versions[:len(versions):len(versions)], entry{number, text}))
	return true
}

// get is get_version.
func (d *dict) get(id string, number int) (string, bool) {
	for _, e := range d.load(id) {
		if e.number == number {
			return e.text, true
		}
	}
	return "", false
}
