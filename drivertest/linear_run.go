package drivertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stet-dev/stet"
)

// A clients run makes a history: each client makes its calls one after the other.
type clients struct {
	n, calls int
	writes   int // of 100 calls
	give     int // of 100 writes, how many are given up
	world    []string
	single   bool // leave out what concerns several prompts
	past     bool // read the past and the changes too
	sure     bool // send only again what succeeded
	six      bool // the six methods of the original store only
}

// run lets the clients loose. The instants are those of one counter, which is
// what orders the calls of different clients.
func (cl clients) run(ctx context.Context, d Doer, seed uint64) *History {
	h := &History{Seed: seed, PerPrompt: cl.single, Blind: cl.single || cl.six}
	var clock, newest atomic.Int64
	do := func(ctx context.Context, client int, c *Call) Event {
		e := Event{Client: client, Call: c, Start: clock.Add(1)}
		e.Answer = d.Do(ctx, c)
		e.End = clock.Add(1)
		return e
	}
	events := make([][]Event, cl.n)
	var w sync.WaitGroup
	begin := make(chan struct{})
	for i := range cl.n {
		w.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			ids := 0
			g := &generator{
				pick: r.IntN, prompts: cl.world, single: cl.single, sure: cl.sure, author: fmt.Sprintf("c%d", i), bad: 2, feed: cl.past,
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
				e := do(ctx, i, c)
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
	if !cl.past {
		return h
	}
	// In the end the whole log is read. That tells the time of each commit that a
	// read can have seen, and what became of those whose outcome is unknown.
	c := &Call{Kind: "changes", Limit: stet.MaxLimit}
	for tries := 0; tries < resends; {
		e := do(ctx, cl.n, c)
		h.Events = append(h.Events, e)
		switch n := len(e.Answer.Revs); {
		case e.Answer.Code != "":
			tries++
		case !e.Answer.More || n == 0:
			return h
		default:
			c = &Call{Kind: "changes", Limit: stet.MaxLimit, Since: e.Answer.Revs[n-1]}
		}
	}
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

// ofOnePrompt reports whether a call says nothing of any prompt but one, and of no
// revision.
func (c *Call) ofOnePrompt() bool {
	if c.Commit == nil {
		return c.Kind != "many" && c.Kind != "prompts" && c.Kind != "changes" && !c.past()
	}
	id := c.promptID()
	for i := range c.Commit.Ops {
		if c.Commit.Ops[i].PromptID() != id || c.Commit.Ops[i].Clear != nil {
			return false
		}
	}
	return true
}
