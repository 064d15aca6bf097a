package drivertest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
)

// original is the store that stet began with: six methods on a dict, brought to Go
// as it was. It is a Doer, so that the same check can be made of it.
//
// Its numbers are not used again after a delete, which the original's were: that
// would be found without a second thread.
type original struct {
	at       func() func() // around each look at a map
	versions map[string][]*modelVersion
	used     map[string]bool
}

// Original returns a new store of the kind that stet began with, over plain maps.
// If locked is true each access to its maps has a lock, but a check and the change that
// follows it are still two steps.
func Original(locked bool) Doer {
	o := &original{
		at:       func() func() { return func() {} },
		versions: map[string][]*modelVersion{}, used: map[string]bool{},
	}
	if locked {
		var mu sync.Mutex
		o.at = func() func() {
			mu.Lock()
			return mu.Unlock
		}
	}
	return o
}

// Do implements Doer with the six methods.
func (o *original) Do(_ context.Context, c *Call) Answer {
	var a Answer
	var err error
	switch c.Kind {
	case "save":
		err = o.saveVersion(c.Commit.Ops[0].Save, &a)
	case "delete":
		o.deleteVersion(c.Commit.Ops[0].Delete, &a)
	case "clear":
		o.clearAll(&a)
	case "list":
		err = o.listVersions(c.Ref, &a)
	default:
		err = o.getVersion(c.Ref, &a)
	}
	a.Op = stet.NoOp
	if err != nil {
		a = Answer{Code: string(stet.CodeOf(err)), Op: stet.NoOp}
	}
	return a
}

func (o *original) saveVersion(d *stet.Draft, a *Answer) error {
	key := d.PromptID + "@" + d.Version
	end := o.at()
	taken := o.used[key]
	end()
	if taken {
		return clash("taken")
	}
	c, _ := d.Content()
	v := &modelVersion{number: stet.MustParseNumber(d.Version), content: c, draft: d, author: d.Author, message: d.Message, metadata: "{}"}
	end = o.at()
	all := o.versions[d.PromptID]
	end()
	v.ordinal = len(all) + 1
	runtime.Gosched()
	end = o.at()
	o.used[key] = true
	o.versions[d.PromptID] = append(slices.Clip(all), v)
	end()
	a.Lines = []string{v.line(d.PromptID) + " bump="}
	return nil
}

func (o *original) prompt(id string) *modelPrompt {
	defer o.at()()
	return &modelPrompt{id: id, saved: o.versions[id]}
}

func (o *original) getVersion(ref string, a *Answer) error { // and get_latest_version
	id, sel, _ := strings.Cut(ref, "@")
	v, err := o.prompt(id).resolve(sel)
	if err == nil {
		a.add(v.line(id), 0)
	}
	return err
}

func (o *original) listVersions(id string, a *Answer) error {
	p := o.prompt(id)
	if len(p.live()) == 0 {
		return absent()
	}
	return p.list(p, &Call{Limit: 1000}, a)
}

func (o *original) deleteVersion(d *stet.Delete, a *Answer) {
	gone := 0
	all := slices.Clone(o.prompt(d.PromptID).saved)
	for i, v := range all {
		if v.number.String() == d.Version && v.deleted == 0 {
			dead := *v
			dead.deleted = 1
			all[i] = &dead
			gone++
		}
	}
	if gone > 0 {
		end := o.at()
		o.versions[d.PromptID] = all
		end()
	}
	a.Lines = []string{fmt.Sprint(gone)}
}

func (o *original) clearAll(a *Answer) {
	end := o.at()
	clear(o.versions)
	end()
	end = o.at()
	clear(o.used)
	end()
	a.Lines = []string{""}
}

// CheckSix checks the six operations of the original store for linearizability:
// some histories of each Doer that open returns.
func CheckSix(ctx context.Context, open func() Doer) error {
	cl := clients{n: 8, calls: 20, six: true}
	first := seed()
	for i := range uint64(rounds(50)) {
		h := cl.run(ctx, open(), first+i)
		if err := h.Check(); err != nil {
			return fmt.Errorf("history %d (-seed=%d): %w", i+1, first+i, err)
		}
	}
	return nil
}

// six makes a call of the six methods.
func six(g *generator) *Call {
	n := fmt.Sprintf("1.%d.0", g.pick(6))
	c := &Call{Kind: "save", Commit: &stet.Commit{Author: g.author}}
	switch k := g.pick(100); {
	case k < 45:
		d := &stet.Draft{PromptID: "a", Version: n, Text: fmt.Sprintf("%s %d", g.author, g.pick(1e6)), Author: g.author}
		c.Commit.Ops = []stet.Op{{Save: d}}
	case k < 60:
		c.Kind, c.Commit.Ops = "delete", []stet.Op{{Delete: &stet.Delete{PromptID: "a", Version: n}}}
	case k < 63:
		c.Kind, c.Commit.Ops = "clear", []stet.Op{{Clear: &stet.Clear{}}}
	case k < 75:
		return &Call{Kind: "get", Ref: "a@" + n}
	case k < 88:
		return &Call{Kind: "get", Ref: "a@latest"}
	default:
		return &Call{Kind: "list", Ref: "a", Limit: 1000, Ascending: false}
	}
	return c
}
