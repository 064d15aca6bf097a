package drivertest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

// modified appends entries that were changed first.
func modified(change func(e *driver.Entry)) breaks {
	return breaks{append: func(h *handle, prev driver.Tail, entries []driver.Entry) error {
		entries = slices.Clone(entries)
		for i := range entries {
			entries[i].Bodies = slices.Clone(entries[i].Bodies)
			change(&entries[i])
		}
		return h.server.Append(h.ctx, prev, entries)
	}}
}

// text changes the texts of bodies.
func text(change func(string) string) breaks {
	return modified(func(e *driver.Entry) {
		for i := range e.Bodies {
			e.Bodies[i].Text = change(e.Bodies[i].Text)
		}
	})
}

func (h *handle) tail() driver.Tail {
	t, _ := h.server.Barrier(h.ctx)
	return t
}

// ghosts are bodies that were stored though their append was refused.
type ghosts struct {
	sync.Mutex
	m map[driver.BodyRef]driver.Body
}

var broken = []struct {
	what   string
	breaks breaks
	caught string // the case that must fail; others may
}{
	{"no store id", breaks{info: func(*handle) driver.Info { return driver.Info{Engine: "x"} }}, "log/info"},
	{"one store id for all", breaks{info: func(*handle) driver.Info { return driver.Info{Engine: "x", StoreID: "x"} }}, "log/info"},
	{"a log that begins at its own time", breaks{barrier: func(h *handle) (driver.Tail, error) {
		t := h.tail()
		t.Revision = max(t.Revision, 1)
		return t, nil
	}}, "log/empty"},
	{"the expected tail ignored", breaks{append: func(h *handle, _ driver.Tail, es []driver.Entry) error {
		return h.server.Append(h.ctx, h.tail(), es)
	}}, "log/moved"},
	{"the hash of the expected tail ignored", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		if t := h.tail(); t.Revision == prev.Revision {
			prev = t
		}
		return h.server.Append(h.ctx, prev, es)
	}}, "log/moved"},
	{"moved told as another error", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		if err := h.server.Append(h.ctx, prev, es); err != nil {
			return errors.New("constraint violated")
		}
		return nil
	}}, "log/moved"},
	{"only the first entry added", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		return h.server.Append(h.ctx, prev, es[:1])
	}}, "log/append"},
	{"entries added one by one", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		for i := range es {
			if err := h.server.Append(h.ctx, prev, es[i:i+1]); err != nil {
				return err
			}
			prev = driver.Tail{Revision: es[i].Revision, Hash: es[i].Hash}
			if i < len(es)-1 {
				// In the bubble time passes when nobody else can go on: a reader has looked by then.
				<-time.After(time.Nanosecond)
			}
		}
		return nil
	}}, "log/read/while-appending"},
	{"bodies stored before the tail is looked at", func() breaks {
		var g ghosts
		return breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
			g.Lock()
			defer g.Unlock()
			if g.m == nil {
				g.m = make(map[driver.BodyRef]driver.Body)
			}
			for _, e := range es {
				for _, b := range e.Bodies {
					g.m[b.BodyRef] = b
				}
			}
			return h.server.Append(h.ctx, prev, es)
		}, body: func(h *handle, ref driver.BodyRef) (driver.Body, error) {
			b, err := h.server.Body(h.ctx, ref)
			if err == nil {
				return b, nil
			}
			g.Lock()
			defer g.Unlock()
			if b, ok := g.m[ref]; ok {
				return b, nil
			}
			return b, err
		}}
	}(), "log/moved"},
	{"drops carried out before the tail is looked at", func() breaks {
		var gone sync.Map
		return breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
			for _, e := range es {
				for _, ref := range e.Dropped {
					gone.Store(ref, true)
				}
			}
			return h.server.Append(h.ctx, prev, es)
		}, body: func(h *handle, ref driver.BodyRef) (driver.Body, error) {
			if _, ok := gone.Load(ref); ok {
				return driver.Body{}, driver.ErrNoBody
			}
			return h.server.Body(h.ctx, ref)
		}}
	}(), "log/moved-keeps-bodies"},
	{"data kept as JSON values", modified(func(e *driver.Entry) {
		var b bytes.Buffer
		if json.Compact(&b, e.Data) == nil {
			e.Data = b.Bytes()
		}
	}), "log/bytes"},
	{"ids without regard to case", modified(func(e *driver.Entry) { e.ID = strings.ToLower(strings.Trim(e.ID, "!")) }), "log/bytes"},
	{"half of the hash", modified(func(e *driver.Entry) { clear(e.Hash[16:]) }), "log/bytes"},
	{"the caller's slice kept", func() breaks {
		kept := make(map[uint64]*driver.Entry)
		var mu sync.Mutex
		return breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
			mu.Lock()
			defer mu.Unlock()
			err := h.server.Append(h.ctx, prev, es)
			for i := range es {
				if err == nil {
					kept[es[i].Revision] = &es[i]
				}
			}
			return err
		}, read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
			mu.Lock()
			defer mu.Unlock()
			es, err := h.server.Read(h.ctx, after, limit)
			es = slices.Clone(es)
			for i := range es {
				if k := kept[es[i].Revision]; k != nil {
					es[i].ID = k.ID
				}
			}
			return es, err
		}}
	}(), "log/caller-owns"},
	{"an answer that is used again", func() breaks {
		buf := make([]driver.Entry, 1024)
		return breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
			es, err := h.server.Read(h.ctx, after, limit)
			return buf[:copy(buf, es)], err
		}}
	}(), "log/caller-owns"},
	{"entries over 64 KiB refused", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		for i := range es {
			if len(es[i].Data) > 64<<10 {
				return errors.Join(driver.ErrNotApplied, errors.New("too large"))
			}
		}
		return h.server.Append(h.ctx, prev, es)
	}}, "log/limits"},
	{"success for nothing", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		if es[0].Revision == 3 {
			return nil
		}
		return h.server.Append(h.ctx, prev, es)
	}}, "log/context"},
	{"the limit ignored", breaks{read: func(h *handle, after uint64, _ int) ([]driver.Entry, error) {
		return h.server.Read(h.ctx, after, 1000)
	}}, "log/read/bounded"},
	{"from and not after", breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
		return h.server.Read(h.ctx, max(after, 1)-1, limit)
	}}, "log/read/bounded"},
	{"a gap", breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
		es, err := h.server.Read(h.ctx, after, limit)
		if len(es) > 2 {
			es = append(slices.Clone(es[:1]), es[2:]...)
		}
		return es, err
	}}, "log/read/bounded"},
	{"an end before the tail", breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
		if after >= 20 {
			return nil, nil
		}
		return h.server.Read(h.ctx, after, limit)
	}}, "log/read/bounded"},
	{"an error at the tail", breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
		if after > h.tail().Revision {
			return nil, errors.New("out of range")
		}
		return h.server.Read(h.ctx, after, limit)
	}}, "log/read/bounded"},
	{"what only append needs is read", breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
		es, err := h.server.Read(h.ctx, after, limit)
		es = slices.Clone(es)
		for i := range es {
			es[i].Cleared = true
		}
		return es, err
	}}, "log/read/only-log"},
	{"a barrier that lags", breaks{barrier: func(h *handle) (driver.Tail, error) {
		es, err := h.server.Read(h.ctx, 0, 1000)
		if len(es) < 2 {
			return driver.Tail{}, err
		}
		e := es[len(es)-2]
		return driver.Tail{Revision: e.Revision, Hash: e.Hash}, err
	}}, "log/read/barrier"},
	{"a barrier without a hash", breaks{barrier: func(h *handle) (driver.Tail, error) {
		return driver.Tail{Revision: h.tail().Revision}, nil
	}}, "log/read/barrier"},
	{"a read that lags behind the barrier", breaks{read: func(h *handle, after uint64, limit int) ([]driver.Entry, error) {
		es, err := h.server.Read(h.ctx, after, limit)
		if n := len(es); n > 0 && es[n-1].Revision == h.tail().Revision {
			es = es[:n-1]
		}
		return es, err
	}}, "log/read/barrier"},
	{"texts trimmed", text(strings.TrimSpace), "log/body/bytes"},
	{"texts up to 1 MB", text(func(s string) string { return s[:min(len(s), 1_000_000)] }), "log/body/bytes"},
	{"control characters replaced", text(func(s string) string { return strings.ReplaceAll(s, "\x01", "?") }), "log/body/bytes"},
	{"line ends changed", text(func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }), "log/body/bytes"},
	{"a byte order mark removed", text(func(s string) string { return strings.TrimPrefix(s, "\ufeff") }), "log/body/bytes"},
	{"fields kept as JSON values", modified(func(e *driver.Entry) {
		for i := range e.Bodies {
			var b bytes.Buffer
			if json.Compact(&b, []byte(e.Bodies[i].Fields)) == nil {
				e.Bodies[i].Fields = b.String()
			}
		}
	}), "log/body/bytes"},
	{"only the first entry's bodies", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		es = slices.Clone(es)
		for i := range es[1:] {
			es[i+1].Bodies = nil
		}
		return h.server.Append(h.ctx, prev, es)
	}}, "log/body/batch"},
	{"an empty body for one that is missing", breaks{body: func(h *handle, ref driver.BodyRef) (driver.Body, error) {
		b, err := h.server.Body(h.ctx, ref)
		if errors.Is(err, driver.ErrNoBody) {
			return driver.Body{BodyRef: ref}, nil
		}
		return b, err
	}}, "log/body/missing"},
	{"another error for a missing body", breaks{body: func(h *handle, ref driver.BodyRef) (driver.Body, error) {
		b, err := h.server.Body(h.ctx, ref)
		if err != nil {
			err = errors.New("no rows")
		}
		return b, err
	}}, "log/body/missing"},
	{"nothing dropped", modified(func(e *driver.Entry) { e.Dropped = nil }), "log/body/dropped"},
	{"all of an entry dropped", modified(func(e *driver.Entry) {
		for _, ref := range slices.Clone(e.Dropped) {
			for op := range 2 {
				ref.Op = op
				e.Dropped = append(e.Dropped, ref)
			}
		}
	}), "log/body/dropped"},
	{"of the append's own bodies none dropped", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		es = slices.Clone(es)
		for i := range es {
			es[i].Dropped = slices.DeleteFunc(slices.Clone(es[i].Dropped), func(r driver.BodyRef) bool { return i > 0 && r.Revision > prev.Revision })
		}
		return h.server.Append(h.ctx, prev, es)
	}}, "log/body/dropped-in-the-append"},
	{"a hundred bodies dropped", modified(func(e *driver.Entry) { e.Dropped = e.Dropped[:min(100, len(e.Dropped))] }), "log/body/many-dropped"},
	{"nothing cleared", modified(func(e *driver.Entry) { e.Cleared = false }), "log/body/cleared"},
	{"its own bodies cleared", modified(func(e *driver.Entry) {
		if e.Cleared {
			e.Bodies = nil
		}
	}), "log/body/cleared"},
	{"of an append all cleared", breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
		es = slices.Clone(es)
		for i := range es {
			if i > 0 && es[i-1].Cleared {
				es[i].Bodies = nil
			}
		}
		return h.server.Append(h.ctx, prev, es)
	}}, "log/body/cleared-in-the-append"},
	{"two winners", func() breaks {
		var mu sync.Mutex
		return breaks{append: func(h *handle, prev driver.Tail, es []driver.Entry) error {
			mu.Lock()
			defer mu.Unlock()
			err := h.server.Append(h.ctx, prev, es)
			if errors.Is(err, driver.ErrMoved) && h.tail().Revision == prev.Revision+uint64(len(es)) {
				return nil
			}
			return err
		}}
	}(), "log/shared/one-each"},
	{"a wait that never ends", breaks{wait: func(h *handle, ctx context.Context, _ uint64) error {
		<-ctx.Done()
		return ctx.Err()
	}}, "log/wait"},
	{"a wait that ignores its context", breaks{wait: func(_ *handle, ctx context.Context, _ uint64) error { return nil }}, "log/wait"},
	{"a wait for one's own appends", func() breaks {
		return breaks{wait: func(h *handle, ctx context.Context, after uint64) error {
			if after == 0 {
				<-ctx.Done()
				return ctx.Err()
			}
			return h.wait(ctx, after)
		}}
	}(), "log/wait/others"},
	{"chunks in any order", breaks{load: func(h *handle, f func(driver.Chunk) error) (uint64, error) {
		var all []driver.Chunk
		rev, err := h.server.LoadCheckpoint(h.ctx, func(c driver.Chunk) error { all = append(all, c); return nil })
		slices.SortFunc(all, func(a, b driver.Chunk) int { return cmp.Compare(b.Key, a.Key) })
		for _, c := range all {
			if err := f(c); err != nil {
				return 0, err
			}
		}
		return rev, err
	}}, "log/checkpoint"},
	{"an error of the caller's swallowed", breaks{load: func(h *handle, f func(driver.Chunk) error) (uint64, error) {
		return h.server.LoadCheckpoint(h.ctx, func(c driver.Chunk) error { _ = f(c); return nil })
	}}, "log/checkpoint"},
	{"no reset", breaks{save: func(h *handle, rev uint64, _ bool, cs []driver.Chunk) error {
		return h.server.SaveCheckpoint(h.ctx, rev, false, cs)
	}}, "log/checkpoint"},
	{"always a reset", breaks{save: func(h *handle, rev uint64, _ bool, cs []driver.Chunk) error {
		return h.server.SaveCheckpoint(h.ctx, rev, true, cs)
	}}, "log/checkpoint"},
	{"no chunk removed", breaks{save: func(h *handle, rev uint64, reset bool, cs []driver.Chunk) error {
		return h.server.SaveCheckpoint(h.ctx, rev, reset, slices.DeleteFunc(slices.Clone(cs), func(c driver.Chunk) bool { return c.Data == nil }))
	}}, "log/checkpoint"},
	{"an older checkpoint over a newer", breaks{save: func(h *handle, rev uint64, reset bool, cs []driver.Chunk) error {
		h.server.checkpoint = 0
		return h.server.SaveCheckpoint(h.ctx, rev, reset, cs)
	}}, "log/checkpoint"},
	{"an empty chunk taken for none", breaks{save: func(h *handle, rev uint64, reset bool, cs []driver.Chunk) error {
		cs = slices.Clone(cs)
		for i := range cs {
			if len(cs[i].Data) == 0 {
				cs[i].Data = nil
			}
		}
		return h.server.SaveCheckpoint(h.ctx, rev, reset, cs)
	}}, "log/checkpoint/reopen"},
	{"a checkpoint lost", breaks{reopened: func(h *handle) { h.server.chunks, h.server.checkpoint = nil, 0 }}, "log/checkpoint/reopen"},
	{"a close that does nothing", breaks{close: func(*handle) error { return nil }}, "log/close"},
	{"the last entry lost", breaks{reopened: func(h *handle) {
		es, _ := h.server.Read(context.Background(), 0, 1000)
		l := memory.New()
		if len(es) > 1 {
			_ = l.Append(context.Background(), driver.Tail{}, es[:len(es)-1])
		}
		h.server = &server{Log: l}
	}}, "log/reopen"},
	{"another store id after opening again", breaks{reopened: func(h *handle) {
		h.breaks.info = func(h *handle) driver.Info { return driver.Info{StoreID: "new", Engine: "x"} }
	}}, "log/reopen"},
}

// TestWorking shows that what the broken logs are made from is not broken.
func TestWorking(t *testing.T) {
	drivertest.TestLog(t, brokenHarness(breaks{}))
}

// TestBroken breaks a log in one way at a time, and the case for it must fail.
func TestBroken(t *testing.T) {
	cases := make(map[string]drivertest.Case)
	for _, c := range drivertest.LogCases() {
		cases[c.Name] = c
	}
	seen := make(map[string]bool)
	for _, b := range broken {
		seen[b.caught] = true
		t.Run(b.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, ok := cases[b.caught]
				if !ok {
					t.Fatalf("there is no case %s", b.caught)
				}
				h := brokenHarness(b.breaks)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := c.Run(ctx, &h)
				if err == nil {
					t.Errorf("%s does not fail", c.Name)
				}
				t.Logf("%s: %.300v", c.Name, err)
			})
		})
	}
	for name := range cases {
		if !seen[name] && name != "log/shared/interleaved" { // which repeats log/moved with two handles
			t.Errorf("no broken log shows that %s can fail", name)
		}
	}
}
