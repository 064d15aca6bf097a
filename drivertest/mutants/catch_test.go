package mutants

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet/drivertest"
)

var (
	catchFlag = flag.Bool("catch", false, "build the mutants, and have each caught by its case")
	allFlag   = flag.Bool("all", false, "list every case that finds a mutant (minutes)")
)

// setMutant switches one mutant on, "" for none. It is nil but in the build that has
// the mutants: testdata/overlay sets it.
var setMutant func(name string)

// runMutated runs a test of this package in the build that has the mutants, and
// returns what it printed.
func runMutated(t *testing.T, test string, args ...string) string {
	t.Helper()
	_, changed := load(t)
	cmd := exec.Command("go", append([]string{
		"test", "-overlay=" + writeOverlay(t, changed), "-count=1", "-v", "-run=^" + test + "$",
		"-timeout=" + flag.Lookup("test.timeout").Value.String(), ".",
	}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the build with the mutants: %v\n%s", err, out)
	}
	return string(out)
}

// patience is how long a case is run again and again on a mutant that only the
// scheduler shows, which it usually does at once, and how long one run may take: a mutant
// may wait for ever. It is ample on a machine with other work.
const patience = 10 * time.Minute

// TestMutants has each mutant caught by the case that its file names: -catch.
func TestMutants(t *testing.T) {
	if setMutant == nil {
		if *catchFlag {
			var table strings.Builder
			for line := range strings.Lines(runMutated(t, "TestMutants")) {
				if line = strings.TrimLeft(line, " "); strings.HasPrefix(line, "|") {
					table.WriteString("\n" + strings.TrimSuffix(line, "\n"))
				}
			}
			t.Log(table.String())
		}
		return
	}
	quiet(t)
	// What only the scheduler shows, a single processor nearly never does.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0))))
	mutants, _ := load(t)
	cases := allCases()
	var rows []string
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			h := harnesses[m.harness]
			i := slices.IndexFunc(cases, func(c drivertest.Case) bool { return c.Name == m.finds })
			if i < 0 {
				t.Fatalf("there is no case %q", m.finds)
			}
			if err := run(t, h, &cases[i], ""); err != nil {
				t.Fatalf("%s fails without a mutant: %v", m.finds, err)
			}
			var err error
			for begun := time.Now(); err == nil && time.Since(begun) < patience; {
				err = run(t, h, &cases[i], m.name)
			}
			if err == nil {
				t.Fatalf("%s does not find it", m.finds)
			}
			what, _, _ := strings.Cut(err.Error(), "\n")
			t.Logf("%s: %.300s", m.finds, what)
			rows = append(rows, fmt.Sprintf("| %s | %s | `%s` |", strings.ReplaceAll(m.name, "-", " "), m.traps, m.finds))
		})
	}
	t.Logf("\n| mutant | trap | found by |\n|---|---|---|\n%s", strings.Join(rows, "\n"))
}

func allCases() []drivertest.Case {
	return slices.Concat(drivertest.Cases(), drivertest.HeapCases(), drivertest.ProofCases())
}

// run runs a case with a mutant switched on: in a bubble, in which what waits for
// ever is found at once, unless the case itself bounds how long it computes.
func run(t *testing.T, h *drivertest.Harness, c *drivertest.Case, mutant string) (err error) {
	bubble := h != harnesses["clock"] && slices.ContainsFunc(drivertest.Cases(), func(o drivertest.Case) bool { return o.Name == c.Name })
	own := *h
	own.Bubble = bubble
	f := func(t *testing.T) {
		setMutant(mutant)
		defer setMutant("")
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
		ctx, cancel := context.WithTimeout(t.Context(), patience)
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
	if setMutant == nil {
		t.Log(runMutated(t, "TestAll", "-all"))
		return
	}
	quiet(t)
	mutants, _ := load(t)
	for _, m := range mutants {
		if only == "" {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAll$", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), child+"="+m.name)
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
			t.Logf("%s: %d: %s", m.name, len(found), strings.Join(found, ", "))
			continue
		}
		if only != m.name {
			continue
		}
		h := harnesses[m.harness]
		for _, c := range allCases() {
			if !h.Has(c.Need) {
				continue
			}
			fmt.Println("trying", c.Name)
			if err := run(t, h, &c, m.name); err != nil {
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
