package drivertest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/stet-dev/stet"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the seed of random calls and faults; a new one each time if 0 (or STET_SEED)")
	roundFlag = flag.Float64("rounds", 1, "how many times the usual number of random histories to try")
	keepFlag  = flag.String("histories", filepath.Join(os.TempDir(), "stet-histories"), "where to save histories that fail")
)

// seed returns the seed to begin with. It repeats the calls and the faults, not
// what the scheduler does with them.
func seed() uint64 {
	s := *seedFlag
	if s == 0 {
		s, _ = strconv.ParseUint(os.Getenv("STET_SEED"), 10, 64)
	}
	if s == 0 {
		s = rand.Uint64()
	}
	return s
}

func rounds(n int) int { return max(1, int(float64(n)**roundFlag)) }

// budget returns what tells when a random case has run long enough, -rounds times
// that: an engine that syncs tries less than one in memory.
func budget(usual time.Duration) (enough func() bool) {
	begun := time.Now()
	return func() bool { return time.Since(begun) > time.Duration(float64(usual)**roundFlag) }
}

// An Event is one call of a history, with its instants on the one counter that
// all clients share.
type Event struct {
	Client int
	Start  int64
	End    int64 // 0 if the outcome was unknown: it may still happen
	Call   *Call
	Answer Answer
}

// A History is what several clients did with a store, to be checked for
// linearizability. It is kept as JSON.
type History struct {
	Seed uint64
	// PerPrompt says that every call concerns one prompt, and that prompts can be
	// checked one by one.
	PerPrompt bool
	// Blind says that revisions are not compared.
	Blind bool
	// Lossy says that the engine lost answers on purpose. A commit can then be
	// replayed that was sent once.
	Lossy  bool
	Events []Event
}

// Check returns an error if the history is not linearizable.
func (h *History) Check() error { return h.check("") }

// porcupineTime bounds one check. The usual one takes milliseconds; a history that is
// not linearizable can take longer.
const porcupineTime = 20 * time.Second

// check writes porcupine's picture of a history that fails, if a path is given.
func (h *History) check(picture string) error {
	m := h.model()
	var last int64
	for i := range h.Events {
		last = max(last, h.Events[i].Start, h.Events[i].End)
	}
	var ops []porcupine.Operation
	for i := range h.Events {
		e := &h.Events[i]
		ops = append(ops, porcupine.Operation{
			ClientId: e.Client, Input: e.Call, Output: &e.Answer, Call: e.Start, Return: cmp.Or(e.End, last+1),
		})
	}
	result, info := porcupine.CheckOperationsVerbose(m, ops, porcupineTime)
	switch result {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("porcupine found no answer within %v for %d calls", porcupineTime, len(ops))
	}
	err := fmt.Errorf("%d calls are not linearizable: no order of them gives these answers", len(ops))
	if e := h.impossible(); e != nil {
		err = e
	}
	if picture != "" {
		err = errors.Join(err, porcupine.VisualizePath(m, info, picture))
	}
	return err
}

// impossible names an answer that is wrong in itself.
func (h *History) impossible() error {
	for i := range h.Events {
		if e := &h.Events[i]; e.Answer.Code == "internal" {
			return fmt.Errorf("%s is answered with %s", e.Call, e.Answer.Message)
		}
	}
	return nil
}

func (h *History) model() porcupine.Model {
	m := porcupine.Model{
		Init: func() any {
			m := newModel()
			m.forgets = h.Blind
			return m
		},
		Step: func(state, input, output any) (bool, any) {
			m, c, got := state.(*model), input.(*Call), output.(*Answer)
			next, want := m.do(c)
			if h.Lossy {
				want.Replayed = got.Replayed
			}
			switch {
			case got.Code == "unknown":
				return true, next // if it did not happen: that is after all others
			case got.Code == "unavailable":
				return true, m
			case got.differs(&want, c, !h.Blind) != "":
				return false, m
			case !h.Blind && c.Commit == nil && got.AsOf > m.revision:
				return false, m
			}
			return true, next
		},
		Equal: func(a, b any) bool { return a.(*model).fingerprint() == b.(*model).fingerprint() },
		Hash:  func(a any) uint64 { return a.(*model).fingerprint() },
		DescribeOperation: func(input, output any) string {
			a := output.(*Answer)
			return fmt.Sprintf("%s → %s %s", input, cmp.Or(a.Code, "ok"), strings.Join(a.Lines, "; "))
		},
		DescribeState: func(state any) string { return state.(*model).describe() },
	}
	if h.PerPrompt {
		m.Partition = func(all []porcupine.Operation) [][]porcupine.Operation {
			by := map[string][]porcupine.Operation{}
			for _, o := range all {
				id := o.Input.(*Call).promptID()
				by[id] = append(by[id], o)
			}
			var parts [][]porcupine.Operation
			for _, p := range by {
				parts = append(parts, p)
			}
			return parts
		}
	}
	return m
}

// promptID is the one prompt that a call concerns.
func (c *Call) promptID() string {
	if c.Commit == nil {
		id, _, _ := strings.Cut(c.Ref, "@")
		return id
	}
	return promptOf(&c.Commit.Ops[0])
}

func promptOf(o *stet.Op) string {
	switch {
	case o.Save != nil:
		return o.Save.PromptID
	case o.Delete != nil:
		return o.Delete.PromptID
	case o.SetLabel != nil:
		return o.SetLabel.PromptID
	case o.RemoveLabel != nil:
		return o.RemoveLabel.PromptID
	case o.Rollback != nil:
		return o.Rollback.PromptID
	}
	return ""
}

// A clients run makes a history: each client makes its calls one after the other.
type clients struct {
	n, calls int
	writes   int // of 100 calls
	give     int // of 100 writes, how many are given up
	world    []string
	single   bool // leave out what concerns several prompts
	past     bool // read the past too
	sure     bool // send only again what succeeded
	six      bool // the six methods of the original store only
}

// run lets the clients loose. The instants are those of one counter, which is
// what orders the calls of different clients.
func (cl clients) run(ctx context.Context, d Doer, seed uint64) *History {
	h := &History{Seed: seed, PerPrompt: cl.single, Blind: cl.single || cl.six}
	var clock, newest atomic.Int64
	events := make([][]Event, cl.n)
	var w sync.WaitGroup
	begin := make(chan struct{})
	for i := range cl.n {
		w.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			ids := 0
			g := &generator{
				pick: r.IntN, prompts: cl.world, single: cl.single, sure: cl.sure, author: fmt.Sprintf("c%d", i), bad: 2,
				ids: func() string { ids++; return fmt.Sprintf("%d-%d", i, ids) },
			}
			<-begin
			for range cl.calls {
				c := cl.next(g, newest.Load())
				ctx, stop := context.WithCancel(ctx)
				if c.Commit != nil && g.chance(cl.give) {
					yields := g.pick(40)
					w.Go(func() {
						for range yields {
							runtime.Gosched()
						}
						stop()
					})
				}
				e := Event{Client: i, Call: c, Start: clock.Add(1)}
				e.Answer = d.Do(ctx, c)
				e.End = clock.Add(1)
				stop()
				if e.Answer.Code == "unknown" {
					e.End = 0
				}
				for at := max(e.Answer.AsOf, e.Answer.Revision); ; {
					old := newest.Load()
					if int64(at) <= old || newest.CompareAndSwap(old, int64(at)) {
						break
					}
				}
				events[i] = append(events[i], e)
				g.note(c, &e.Answer)
			}
		})
	}
	close(begin)
	w.Wait()
	h.Events = slices.Concat(events...)
	return h
}

func (cl clients) next(g *generator, newest int64) *Call {
	for {
		var c *Call
		if cl.six {
			return six(g)
		}
		g.past = 0
		if cl.past {
			g.past = uint64(newest)
		}
		if g.chance(cl.writes) {
			c = g.write()
		} else {
			c = g.read()
		}
		if !cl.single || c.ofOnePrompt() {
			return c
		}
	}
}

// ofOnePrompt tells whether a call says nothing of any prompt but one, and of no
// revision.
func (c *Call) ofOnePrompt() bool {
	if c.Commit == nil {
		return c.Kind != "many" && c.Kind != "prompts" && c.At == 0
	}
	id := c.promptID()
	for i := range c.Commit.Ops {
		if promptOf(&c.Commit.Ops[i]) != id || c.Commit.Ops[i].Clear != nil {
			return false
		}
	}
	return true
}

// save keeps a history that failed, with its picture, and says how to check it
// again.
func (h *History) save(why error) error {
	if *keepFlag == "" {
		return why
	}
	if err := os.MkdirAll(*keepFlag, 0o700); err != nil {
		return errors.Join(why, err)
	}
	path := filepath.Join(*keepFlag, fmt.Sprintf("history-%d.json", h.Seed))
	b, err := json.MarshalIndent(h, "", " ")
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	_ = h.check(strings.TrimSuffix(path, ".json") + ".html")
	return errors.Join(fmt.Errorf("%w\n\tsaved; check it again with: go test ./drivertest -run TestRecheck -history %s", why, path), err)
}

// ReadHistory reads a history that a failed case has saved.
func ReadHistory(path string) (*History, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h := new(History)
	return h, json.Unmarshal(b, h)
}

// fingerprint is the same for models that cannot be told apart. What the past was
// follows from the revisions of the present.
func (m *model) fingerprint() uint64 {
	if m.print == 0 {
		m.print = hashOf(m.describe())
	}
	return m.print
}

// describe tells all of a model.
func (m *model) describe() string {
	rev := func(r uint64) uint64 {
		if m.forgets {
			return 0 // of one prompt's commits nobody knows which are between
		}
		return r
	}
	var b strings.Builder
	fmt.Fprintln(&b, rev(m.revision), rev(m.cleared))
	for _, id := range sortedKeys(m.prompts) {
		p := m.prompts[id]
		fmt.Fprintln(&b, p.head(), rev(p.revision))
		for _, v := range p.saved {
			fmt.Fprintln(&b, v.line(id), rev(v.revision), v.deleted != 0, rev(v.deleted))
		}
		for _, l := range sortedKeys(p.labels) {
			for _, mv := range p.labels[l] {
				fmt.Fprintln(&b, l, rev(mv.revision), num(mv.from), num(mv.to), mv.author, mv.message)
			}
		}
	}
	if m.known != nil {
		fmt.Fprintf(&b, "%x", m.known.prints)
	}
	return b.String()
}
