package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/sqlite"
)

// faultSeed makes the commits of the fault tests. They are always the same: the
// calls are gone through one by one.
const faultSeed = 20261123

// script returns ids of commits of every kind, some of each.
func script(l load, life int) []id {
	left := map[string]int{"save": 5, "label": 2, "rollback": 1, "delete": 2, "several": 3, "clear": 1}
	var ids []id
	last := id{life: life, n: -1}
	for n := 0; len(left) > 0 && n < 10_000; n++ {
		i := id{life, 0, n}
		c := l.commit(i)
		kind := "several"
		if len(c.Ops) == 1 {
			switch o := c.Ops[0]; {
			case o.Save != nil:
				kind = "save"
			case o.SetLabel != nil:
				kind = "label"
			case o.Rollback != nil:
				kind = "rollback"
			case o.Delete != nil:
				kind = "delete"
			case o.Clear != nil:
				if kind = "clear"; len(left) > 1 {
					last = i // it comes after the others, and something after it
					continue
				}
			default:
				continue
			}
		}
		if left[kind]--; left[kind] >= 0 {
			ids = append(ids, i)
		}
		if left[kind] <= 0 {
			delete(left, kind)
		}
		if _, ok := left["clear"]; ok && len(left) == 1 && last.n >= 0 {
			ids = append(ids, last)
			break
		}
	}
	for n := 10_000; n < 10_004; n++ {
		ids = append(ids, id{life, 0, n})
	}
	return ids
}

// A run is one store in which one fault happens.
type run struct {
	ledger
	fault   *fault
	failed  map[id]bool // told that nothing changed
	unknown map[id]bool
	opened  bool

	// wrap, if not nil, makes the engine another one.
	wrap func(*sqlite.Log) driver.Log
}

func (r *run) open(path string) (*stet.Store, error) {
	log, err := sqlite.OpenLog(background, path, nil)
	if err != nil {
		return nil, err
	}
	var engine driver.Log = log
	if r.wrap != nil {
		engine = r.wrap(log)
	}
	return core.Open(background, engine, &core.Options{CheckpointEvery: 4, CacheBytes: -1})
}

// stopped is what an error after a failure says: that, and why.
var stopped = regexp.MustCompile(`stopped writing to .* because (a sync failed|the disk failed: .*disk I/O error.*)\. Reads still work`)

// drive opens the store, commits, and closes it. It returns what is against the
// rules; what fails because of the fault is not.
func (r *run) drive(path, killed string) (err error) {
	s, err := r.open(path)
	if err != nil {
		if r.fault.fired() == "" {
			return err
		}
		var e *stet.Error
		if !errors.As(err, &e) {
			return fmt.Errorf("opening fails with %T: %w", err, err)
		}
		return r.kill(path, killed)
	}
	r.opened = true
	defer func() {
		closed := s.Close()
		if r.fault.fired() == "" {
			err = errors.Join(err, closed)
		}
		if later := r.fault.after(); err == nil && !r.fault.full && len(later) > 0 {
			err = fmt.Errorf("after the failure there were still %d calls: %v", len(later), later[:min(5, len(later))])
		}
	}()
	for n, i := range script(r.load, 1) {
		if n == 16 && r.fault.full && r.fault.sticky {
			r.fault.mend() // there is room again
		}
		before := r.fault.fired()
		done, err := s.Commit(background, r.load.commit(i))
		switch code := stet.CodeOf(err); code {
		case "":
			if before != "" && !r.fault.full {
				return fmt.Errorf("%s succeeds after %s has failed", i, before)
			}
			r.told[i] = answer{done.Revision, sum(done.Results)}
			r.fresh = append(r.fresh, i)
		case stet.CodeConflict, stet.CodeNotFound:
			r.refused[i] = code
		case stet.CodeUnavailable:
			r.failed[i] = true
		case stet.CodeUnknown:
			if r.unknown[i] = true; r.fault.full {
				return fmt.Errorf("the disk is full, and %s is unknown: %w", i, err)
			}
		default:
			return fmt.Errorf("%s: %w", i, err)
		}
		where := r.fault.fired()
		if err != nil && (r.failed[i] || r.unknown[i]) && where == "" {
			return fmt.Errorf("nothing has failed, and %s does: %w", i, err)
		}
		if r.failed[i] && before != "" && !r.fault.full && !stopped.MatchString(err.Error()) {
			return fmt.Errorf("after %s had failed %s is told: %w", before, i, err)
		}
		if r.fault.mended && r.failed[i] {
			return fmt.Errorf("there is room again, and %s fails: %w", i, err)
		}
		if where != "" {
			if err := r.reads(s); err != nil {
				return fmt.Errorf("after %s had failed and %s was tried: %w", where, i, err)
			}
		}
	}
	return r.kill(path, killed)
}

// kill copies the files as they are at this instant, which is how they would be
// had the process been killed.
func (r *run) kill(path, killed string) error {
	r.fault.frozen.Lock()
	defer r.fault.frozen.Unlock()
	return copyFiles(path, killed)
}

// reads reads everything, from the file.
func (r *run) reads(s *stet.Store) error {
	for h, err := range s.Prompts(background, stet.PromptsOptions{}) {
		if err != nil {
			return fmt.Errorf("a read fails: %w", err)
		}
		for v, err := range s.List(background, h.PromptID, stet.ListOptions{}) {
			if err != nil {
				return fmt.Errorf("a read fails: %w", err)
			}
			if v.Text() == "" {
				return fmt.Errorf("%s@%s has no text", h.PromptID, v.Number())
			}
		}
	}
	return nil
}

// holdsAfter opens what is left, on a sound disk, and holds it against what callers
// were told.
func (r *run) holdsAfter(path string) (err error) {
	s, err := sqlite.Open(background, path, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := r.reread(s)
	if err != nil {
		return err
	}
	for i := range l.found {
		if r.failed[i] {
			return fmt.Errorf("%s was said not to be applied, and is in the log", i)
		}
	}
	// What was unknown is applied once when it is sent again.
	l.told = maps.Clone(l.told)
	for i := range r.unknown {
		if err := l.resolve(s, i); err != nil {
			return err
		}
	}
	return l.check(s)
}

func copyFiles(from, to string) error {
	for _, rest := range []string{"", "-wal", "-journal"} {
		b, err := os.ReadFile(from + rest)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(to+rest, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// killedStore makes a store as a killed process leaves it, with a log that begins in
// the file and ends in the WAL. It returns the answers that callers got.
func killedStore(t *testing.T, l load, dir string) map[id]answer {
	t.Helper()
	path := filepath.Join(dir, "making.db")
	told := make(map[id]answer)
	for life := range 2 {
		s, err := sqlite.Open(background, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 25 {
			i := id{0, life, n}
			c := l.commit(i)
			if c.Ops[0].Clear != nil {
				continue
			}
			if done, err := s.Commit(background, c); err == nil {
				told[i] = answer{done.Revision, sum(done.Results)}
			}
		}
		if life == 1 {
			if err := copyFiles(path, filepath.Join(dir, "stet.db")); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return told
}

// TestFaults lets each write, sync, cut and removal of SQLite fail in turn.
func TestFaults(t *testing.T) {
	install()
	stride := 1
	if raced {
		stride = 40
	}
	_, rng := seeded(t)
	l := load{faultSeed, prompts}
	root := memoryDir(t)
	told := killedStore(t, l, root)
	for _, kind := range []struct {
		name               string
		sticky, torn, full bool
	}{
		{"a call fails", false, false, false},
		{"all calls fail from then on", true, false, false},
		{"half a write gets there, and it fails", false, true, false},
		{"the disk is full for one write", false, false, true},
		{"the disk is full for a while", true, true, true},
	} {
		for _, born := range []bool{true, false} {
			what := "an old store with a WAL"
			if born {
				what = "a new store"
			}
			start := time.Now()
			var next, runs, tolds, failed, unknown, unopened atomic.Int64
			first := int64(1 + rng.IntN(stride))
			next.Store(first - int64(stride))
			var work sync.WaitGroup
			var end atomic.Bool
			for range 8 { // they wait more than they work
				work.Go(func() {
					for !end.Load() {
						n := int(next.Add(int64(stride)))
						f := &fault{nth: n, sticky: kind.sticky, full: kind.full, torn: kind.torn}
						r, err := runOnce(filepath.Join(root, fmt.Sprintf("%t-%d", born, n)), root, born, l, told, f, nil)
						if err != nil {
							t.Errorf("%s, %s, call %d (%s): %v", what, kind.name, n, f.fired(), err)
						}
						if f.fired() == "" {
							end.Store(true)
							continue
						}
						runs.Add(1)
						tolds.Add(int64(len(r.told)))
						failed.Add(int64(len(r.failed)))
						unknown.Add(int64(len(r.unknown)))
						if !r.opened {
							unopened.Add(1)
						}
					}
				})
			}
			work.Wait()
			report(t, "faults: %s, %s: %d runs, calls %d, %d … until none failed (%.0f s); in %d the store did not open; commits done %d, failed %d, unknown %d",
				what, kind.name, runs.Load(), first, first+int64(stride), time.Since(start).Seconds(), unopened.Load(), tolds.Load(), failed.Load(), unknown.Load())
		}
	}
}

// runOnce runs one store with one fault, in a directory of its own. It checks the store
// after closing, and as a killed process would have left it.
func runOnce(dir, root string, born bool, l load, told map[id]answer, f *fault, wrap func(*sqlite.Log) driver.Log) (*run, error) {
	r := &run{ledger: *newLedger(l), fault: f, failed: make(map[id]bool), unknown: make(map[id]bool), wrap: wrap}
	path, killed := filepath.Join(dir, "stet.db"), filepath.Join(dir, "killed.db")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	if !born {
		if err := copyFiles(filepath.Join(root, "stet.db"), path); err != nil {
			return r, err
		}
		maps.Copy(r.told, told)
	}
	faults.Store(dir, f)
	err := r.drive(path, killed)
	faults.Delete(dir)
	if err != nil {
		return r, err
	}
	if err := r.holdsAfter(path); err != nil {
		return r, fmt.Errorf("closed and opened again: %w", err)
	}
	if _, err := os.Stat(killed); err == nil {
		if err := r.holdsAfter(killed); err != nil {
			return r, fmt.Errorf("killed and opened again: %w", err)
		}
	}
	return r, nil
}

// An optimist takes an error for a success, or an unknown outcome for a failure.
type optimist struct {
	driver.Log // and nothing that it can do beyond that
	unknown    bool
}

func (o *optimist) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	err := o.Log.Append(ctx, prev, entries)
	switch {
	case err == nil || errors.Is(err, driver.ErrMoved):
		return err
	case !o.unknown:
		return nil
	}
	return fmt.Errorf("%w: %w", driver.ErrNotApplied, err)
}

// TestFaultsFindsAnOptimist shows that the test can fail.
func TestFaultsFindsAnOptimist(t *testing.T) {
	install()
	root := memoryDir(t)
	for _, unknown := range []bool{false, true} {
		found := false
		for n := 1; !found; n++ {
			f := &fault{nth: n}
			_, err := runOnce(filepath.Join(root, fmt.Sprint(n)), root, true, load{faultSeed, prompts}, nil, f, func(log *sqlite.Log) driver.Log {
				return &optimist{log, unknown}
			})
			if found = err != nil; found {
				t.Logf("found at call %d: %v", n, err)
			} else if f.fired() == "" {
				t.Fatalf("an engine that takes failures lightly (%t) was not found out", unknown)
			}
		}
	}
}
