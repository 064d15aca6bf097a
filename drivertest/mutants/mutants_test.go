//go:build mutants

package mutants

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/internal/mutant"
	"github.com/stet-dev/stet/memory"
)

var allFlag = flag.Bool("all", false, "list every case that finds a mutant (minutes)")

// The harnesses: the memory engine as it is, the same with the real clock (in a
// bubble, a reader in a loop and a writer take turns), as one that several stores
// share, as one that does not keep bodies in memory, with no cache before it, and as
// one that takes an append in chunks.
var harnesses = map[string]*drivertest.Harness{
	"clock":  {OpenLog: open},
	"memory": {OpenLog: open},
	"shared": {OpenLog: openShared, Another: another},
	"cold":   {OpenLog: openCold, Options: core.Options{CacheBytes: -1}},
	"chunks": {OpenLog: openChunks},
}

func open(context.Context) (driver.Log, error) { return memory.New(), nil }

// sharedLog is one of several handles on a log.
type sharedLog struct {
	*memory.Log
	handles *atomic.Int32
}

func openShared(context.Context) (driver.Log, error) {
	l := sharedLog{memory.New(), new(atomic.Int32)}
	l.handles.Add(1)
	return l, nil
}

func another(_ context.Context, log driver.Log) (driver.Log, error) {
	l := log.(sharedLog)
	l.handles.Add(1)
	return l, nil
}

func (l sharedLog) Info() driver.Info {
	i := l.Log.Info()
	i.Exclusive = false
	return i
}

func (l sharedLog) Close() error {
	if l.handles.Add(-1) > 0 {
		return nil
	}
	return l.Log.Close()
}

type coldLog struct{ *memory.Log }

func openCold(context.Context) (driver.Log, error) { return coldLog{memory.New()}, nil }

func (l coldLog) Info() driver.Info {
	i := l.Log.Info()
	i.Resident = false
	return i
}

// chunksLog implements driver.Streamer: it keeps the chunks until it has all.
type chunksLog struct{ *memory.Log }

func openChunks(context.Context) (driver.Log, error) { return chunksLog{memory.New()}, nil }

func (l chunksLog) AppendStream(ctx context.Context, prev driver.Tail, chunks iter.Seq[[]driver.Entry]) error {
	var all []driver.Entry
	for chunk := range chunks {
		all = append(all, chunk...)
		if e := all[len(all)-1]; e.Revision != prev.Revision+uint64(len(all)) {
			return errors.Join(driver.ErrNotApplied, errors.New("an entry does not follow the one before"))
		}
	}
	return l.Append(ctx, prev, all)
}

// table says which case finds which mutant, with which harness ("memory" if none
// is named).
var table = []struct {
	mutant  mutant.Mutant
	trap    string
	finds   string
	harness string
}{
	{mutant.NumberCheckedFirst, "1", "save/one-winner", ""},
	{mutant.LabelCheckedFirst, "1, 2", "label/one-swap", ""},
	{mutant.LabelOnTwo, "2", "label/move", ""},
	{mutant.MaxPlusOne, "3", "bump/table", ""},
	{mutant.OrdinalsReused, "3", "save/ordinal", ""},
	{mutant.TombstonesForgotten, "3", "save/number-never-reused", ""},
	{mutant.HeadShared, "4", "immutable/what-was-got", ""},
	{mutant.DraftKept, "4", "immutable/what-was-given", ""},
	{mutant.ClearSwallows, "5", "clear/in-a-commit", ""},
	{mutant.EpochUnchecked, "5", "clear/in-a-commit", ""},
	{mutant.HeadsOneByOne, "6", "commit/atomic-for-readers", "clock"},
	{mutant.SnapshotFirst, "6", "linear/all-operations", ""},
	{mutant.ManySnapshots, "6", "commit/atomic-for-readers", "clock"},
	{mutant.ReadThenSubscribe, "8", "changes/subscribers", ""},
	{mutant.WrongBodyKey, "9", "model/lockstep", "cold"},
	{mutant.HistoryCopied, "11", "save/does-not-copy-the-history", ""},
	{mutant.AckBeforeAppend, "16", "stuck/acknowledged-late", ""},
	{mutant.ChunkAnswered, "16", "stuck/acknowledged-late", "chunks"},
	{mutant.ChunkShown, "", "stuck/reads", "chunks"},
	{mutant.JoinedLeftOut, "", "lost/joined", "chunks"},
	{mutant.FailureIsSuccess, "16", "lost/not-applied", ""},
	{mutant.UnknownIsFailure, "", "lost/for-good", ""},
	{mutant.UnknownIsSuccess, "16", "lost/before", ""},
	{mutant.IDsForgotten, "", "once/replay", ""},
	{mutant.IDsNotRead, "", "lost/after", ""},
	{mutant.RefusalForgotten, "18", "once/refused", ""},
	{mutant.FingerprintIgnored, "", "once/conflict", ""},
	{mutant.RollbackKeeps, "", "batch/refused-leaves-nothing", ""},
	{mutant.DeleteUnguarded, "", "delete/labelled", ""},
	{mutant.RollbackFirst, "", "rollback/undo", ""},
	{mutant.IfChangedAny, "17", "save/if-changed", ""},
	{mutant.ReadsWait, "", "stuck/reads", ""},
	{mutant.NoBarrier, "", "shared/seen-at-once", "shared"},
	{mutant.BatchRevision, "", "linear/all-operations", ""},
	{mutant.TimeGoesBack, "", "copy/times", ""},
	{mutant.BodyKept, "", "heap/deleted", ""},
}

// patience is how long a case is run again and again on a mutant that only the
// scheduler shows. It usually does at once.
const patience = time.Minute

func TestMutants(t *testing.T) {
	quiet(t)
	// What only the scheduler shows, a single processor nearly never does.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0))))
	cases := slices.Concat(drivertest.Cases(), drivertest.HeapCases(), drivertest.ProofCases())
	var rows []string
	for _, row := range table {
		name := row.mutant.String()
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			h := harnessOf(row.harness)
			i := slices.IndexFunc(cases, func(c drivertest.Case) bool { return c.Name == row.finds })
			if i < 0 {
				t.Fatalf("there is no case %q", row.finds)
			}
			if err := run(t, h, &cases[i], mutant.None); err != nil {
				t.Fatalf("%s fails without a mutant: %v", row.finds, err)
			}
			var err error
			for begun := time.Now(); err == nil && time.Since(begun) < patience; {
				err = run(t, h, &cases[i], row.mutant)
			}
			if err == nil {
				t.Fatalf("%s does not find it", row.finds)
			}
			what, _, _ := strings.Cut(err.Error(), "\n")
			t.Logf("%s: %.300s", row.finds, what)
			rows = append(rows, fmt.Sprintf("| %s | %s | `%s` |", name, row.trap, row.finds))
		})
	}
	if len(table) != len(mutant.All()) {
		t.Errorf("the table has %d of %d mutants", len(table), len(mutant.All()))
	}
	t.Logf("\n| mutant | trap | found by |\n|---|---|---|\n%s", strings.Join(rows, "\n"))
}

// run runs a case with a mutant switched on: in a bubble, in which what waits for
// ever is found at once, unless the case itself bounds how long it computes.
func run(t *testing.T, h *drivertest.Harness, c *drivertest.Case, m mutant.Mutant) (err error) {
	bubble := h != harnesses["clock"] && slices.ContainsFunc(drivertest.Cases(), func(o drivertest.Case) bool { return o.Name == c.Name })
	own := *h
	own.Bubble = bubble
	f := func(t *testing.T) {
		mutant.Set(m)
		defer mutant.Set(mutant.None)
		defer func() {
			if bubble {
				synctest.Wait() // for what the case let go
			}
		}()
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = c.Run(ctx, &own)
	}
	if bubble {
		synctest.Test(t, f)
	} else {
		f(t)
	}
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAll lists every case that finds a mutant, for people: -all. Each mutant has a
// process of its own, which it may crash.
func TestAll(t *testing.T) {
	const child = "STET_MUTANT"
	only := os.Getenv(child)
	if !*allFlag && only == "" {
		return
	}
	quiet(t)
	for _, row := range table {
		name := row.mutant.String()
		if only == "" {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAll$", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), child+"="+name)
			out, err := cmd.CombinedOutput()
			var found []string
			last := ""
			for line := range strings.Lines(string(out)) {
				if c, ok := strings.CutPrefix(line, "trying "); ok {
					last = strings.TrimSpace(c)
				} else if strings.HasPrefix(line, "found") {
					found, last = append(found, last), ""
				}
			}
			if err != nil {
				found = append(found, "and it crashes "+last)
			}
			t.Logf("%s: %d: %s", name, len(found), strings.Join(found, ", "))
			continue
		}
		if only != name {
			continue
		}
		h := harnessOf(row.harness)
		for _, c := range slices.Concat(drivertest.Cases(), drivertest.HeapCases(), drivertest.ProofCases()) {
			if !h.Has(c.Need) {
				continue
			}
			fmt.Println("trying", c.Name)
			if err := run(t, h, &c, row.mutant); err != nil {
				fmt.Println("found")
			}
		}
	}
}

// quiet keeps what fails on purpose from being saved and shrunk at length.
func quiet(t *testing.T) {
	must(t, flag.Set("rapid.shrinktime", "1s"))
	must(t, flag.Set("histories", ""))
}

func harnessOf(name string) *drivertest.Harness { return harnesses[cmp.Or(name, "memory")] }

// TestOriginal runs the store that stet began with in a child process, which may
// crash.
func TestOriginal(t *testing.T) {
	const child = "STET_ORIGINAL"
	if os.Getenv(child) != "" {
		quiet(t)
		must(t, drivertest.CheckSix(t.Context(), func() drivertest.Doer { return drivertest.Original(false) }))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestOriginal$", "-test.count=1")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the unlocked original is taken for linearizable (%v):\n%s", err, out)
	}
	how := "not linearizable"
	if strings.Contains(string(out), "fatal error: concurrent map") {
		how = "it crashed: concurrent map access"
	} else if !strings.Contains(string(out), "linearizable") {
		t.Fatalf("the child failed otherwise:\n%s", out)
	}
	t.Logf("| the original, unlocked | 1 | six operations: %s |", how)

	quiet(t)
	err = drivertest.CheckSix(t.Context(), func() drivertest.Doer { return drivertest.Original(true) })
	if err == nil {
		t.Fatal("the original with each map access locked is taken for linearizable")
	}
	t.Logf("| the original, each access locked | 1 | six operations: %v |", err)
}
