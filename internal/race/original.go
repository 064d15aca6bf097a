package race

import (
	"strconv"
	"sync"
)

// A storage is the part of the original InMemoryStorage that the race needs. It was a
// Python class over a plain dict of lists, with the six methods save_version,
// get_version, list_versions, get_latest_version, delete_version and clear_all.
type storage interface {
	// latest is get_latest_version: the highest number, 0 if there is none.
	latest(id string) int
	// save is save_version. It refuses a number that is there.
	save(id string, number int, text string) bool
	// get is get_version.
	get(id string, number int) (string, bool)
}

type entry struct {
	number int
	text   string
}

func latest(versions []entry) int {
	highest := 0
	for _, e := range versions {
		highest = max(highest, e.number)
	}
	return highest
}

func find(versions []entry, number int) (string, bool) {
	for _, e := range versions {
		if e.number == number {
			return e.text, true
		}
	}
	return "", false
}

// A dict is the storage as it was first: save looks whether the number is in the
// prompt's list, and if it is not, puts the version there. Check, then act, and no
// lock around the two.
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
	pause    func() // between the check and the act
}

func newDict(pause func()) *dict { return &dict{versions: make(map[string][]entry), pause: pause} }

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

func (d *dict) latest(id string) int { return latest(d.load(id)) }

// save checks and acts in two steps; that is the defect.
func (d *dict) save(id string, number int, text string) bool {
	versions := d.load(id)
	if _, taken := find(versions, number); taken {
		return false
	}
	d.pause()
	d.store(id, append(versions[:len(versions):len(versions)], entry{number, text}))
	return true
}

func (d *dict) get(id string, number int) (string, bool) { return find(d.load(id), number) }

// A locked is the storage after its fix: one lock, held from the beginning of each
// method to its end. What it holds is right. Its callers still race: see callers.
type locked struct {
	mu       sync.Mutex
	versions map[string][]entry
}

func newLocked() *locked { return &locked{versions: make(map[string][]entry)} }

func (l *locked) latest(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return latest(l.versions[id])
}

func (l *locked) save(id string, number int, text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := find(l.versions[id], number); taken {
		return false
	}
	l.versions[id] = append(l.versions[id], entry{number, text})
	return true
}

func (l *locked) get(id string, number int) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return find(l.versions[id], number)
}

// callers do what the storage's callers did: ask for the latest number, save the one
// after it, and begin again when that is refused. Check, then act, once more: no lock
// inside the storage can hold from one of its methods to the next.
type callers struct {
	storage
	pause func() // between the question and the save
}

func (c callers) save(id, text string) (string, int, error) {
	for refused := 0; ; refused++ {
		number := c.latest(id) + 1
		c.pause()
		if c.storage.save(id, number, text) {
			return strconv.Itoa(number), refused, nil
		}
	}
}

func (c callers) get(id, number string) (string, bool) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", false
	}
	return c.storage.get(id, n)
}
