// Package remote is a fake of a shared engine behind a network, for tests: to core it
// looks like a database with small transactions on a bad day. Several handles, as of
// several processes, append to one log; requests are bounded; answers are lost before and
// after the effect; requests arrive twice, or after their sender has given up;
// notifications are late; reads lag.
//
// All faults are drawn from one seed. The same seed repeats the same faults for the same
// requests; it does not repeat the scheduler.
package remote

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stet-dev/stet/driver"
)

// The limits of one request are etcd's defaults.
const (
	MaxRequestOps   = 128
	MaxRequestBytes = 3 << 19 // 1.5 MiB
)

// Faults are the shares of requests, from 0 to 1, that fail in each way. The zero Faults
// is a good day.
type Faults struct {
	Seed uint64

	LostBefore float64 // the request is lost; half of those arrive later
	LostAfter  float64 // the answer is lost
	Duplicate  float64 // the request arrives once more, later
	Outage     float64 // this and some of the next requests are lost
	Lag        float64 // a read does not show what others appended just now
	Late       float64 // a notification comes late, or for no reason
	Short      float64 // a read returns fewer entries than there are
}

// Bad is the faults of a bad day.
func Bad(seed uint64) Faults {
	return Faults{Seed: seed, LostBefore: 0.1, LostAfter: 0.1, Duplicate: 0.15, Outage: 0.01, Lag: 0.5, Late: 0.5, Short: 0.3}
}

var errLost = errors.New("remote: no answer")

// A Server is the shared store that handles are opened on.
type Server struct {
	id     string
	faults Faults

	mu      sync.Mutex
	rnd     *rand.Rand
	entries []driver.Entry // revision i+1 at i
	bodies  map[key]driver.Body
	staged  map[string]map[part]piece // by attempt
	drops   []key                     // noted, to be removed in steps
	cleared uint64                    // bodies of lower revisions are to be removed
	grown   chan struct{}             // closed, and replaced, when entries grows
	clock   uint64                    // requests so far
	outage  int                       // how many of the next requests are lost
	delayed []delayed
	handles int
}

type key struct {
	revision uint64
	op       int
}

// A part names a staged piece: of a body's text or fields, or a body to drop.
type part struct {
	entry, op, n int
	kind         byte // 't', 'f' or 'd'
}

type piece struct {
	ref  driver.BodyRef
	data string
}

// delayed is a request that arrives later.
type delayed struct {
	due   uint64
	apply func() error
}

// NewServer returns a server with an empty log.
func NewServer(f Faults) *Server {
	rnd := rand.New(rand.NewPCG(f.Seed, 0x57e7))
	return &Server{
		id: fmt.Sprintf("remote-%d-%d", f.Seed, serial()), faults: f, rnd: rnd,
		bodies: make(map[key]driver.Body), staged: make(map[string]map[part]piece), grown: make(chan struct{}),
	}
}

var serials struct {
	sync.Mutex
	n int
}

// serial makes the ids of servers with one seed differ.
func serial() int {
	serials.Lock()
	defer serials.Unlock()
	serials.n++
	return serials.n
}

// Open returns a handle on the log.
func (s *Server) Open() *Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles++
	return &Log{server: s, name: fmt.Sprint("h", s.handles), closed: make(chan struct{})}
}

// Sweep removes at once all bodies that wait to be removed.
func (s *Server) Sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.remove(MaxRequestOps) {
	}
}

func (s *Server) chance(p float64) bool { return p > 0 && s.rnd.Float64() < p }

// request handles a request that writes: it counts and bounds it, and may lose or repeat
// it. apply is called with s.mu held, perhaps more than once, perhaps much later.
func (s *Server) request(ops, bytes int, apply func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ops > MaxRequestOps || bytes > MaxRequestBytes {
		return errors.Join(driver.ErrNotApplied, fmt.Errorf("remote: a request of %d operations and %d bytes is over the limit", ops, bytes))
	}
	s.tick()
	if s.chance(s.faults.Outage) {
		s.outage = 1 + s.rnd.IntN(10)
	}
	if s.outage > 0 || s.chance(s.faults.LostBefore) {
		s.outage = max(0, s.outage-1)
		if s.rnd.IntN(2) == 0 {
			s.later(apply)
		}
		return errLost
	}
	err := apply()
	if s.chance(s.faults.Duplicate) {
		s.later(apply)
	}
	if s.chance(s.faults.LostAfter) {
		return errLost
	}
	return err
}

func (s *Server) later(apply func() error) {
	s.delayed = append(s.delayed, delayed{s.clock + 1 + uint64(s.rnd.IntN(8)), apply})
}

// tick is one step of the logical clock: delayed requests arrive, and a few of the dropped
// bodies are removed.
func (s *Server) tick() {
	s.clock++
	var rest []delayed
	for _, d := range s.delayed {
		if d.due <= s.clock {
			_ = d.apply() // nobody waits for the answer
		} else {
			rest = append(rest, d)
		}
	}
	s.delayed = rest
	if s.clock%3 == 0 {
		s.remove(MaxRequestOps)
	}
}

// remove removes at most n dropped bodies, and reports whether there may be more.
func (s *Server) remove(n int) bool {
	for ; n > 0 && len(s.drops) > 0; n-- {
		delete(s.bodies, s.drops[0])
		s.drops = s.drops[1:]
	}
	if s.cleared == 0 {
		return len(s.drops) > 0
	}
	for k := range s.bodies {
		if n == 0 {
			return true
		}
		if k.revision < s.cleared {
			delete(s.bodies, k)
			n--
		}
	}
	s.cleared = 0
	return len(s.drops) > 0
}

// tail is the log's tail.
func (s *Server) tail() driver.Tail {
	if len(s.entries) == 0 {
		return driver.Tail{}
	}
	e := &s.entries[len(s.entries)-1]
	return driver.Tail{Revision: e.Revision, Hash: e.Hash}
}

// lateness is how late a notification is.
func (s *Server) lateness() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.chance(s.faults.Late) {
		return 0
	}
	return time.Duration(s.rnd.IntN(300)) * time.Millisecond
}
