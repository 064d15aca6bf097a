package crash

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

var (
	seedFlag = flag.Uint64("seed", 0, "the seed of all that is random, but for the scheduler; 0 takes one at random")
	long     = flag.Bool("long", false, "run the long form")
)

func TestMain(m *testing.M) {
	testkit.Main(m, map[string]func(args []string) error{
		"commit": commitChild,
		"script": scriptChild,
		"full":   fullChild,
		"room":   roomChild,
	})
}

// seeded returns the test's seed, which is said, and what is drawn from it.
func seeded(t *testing.T) (uint64, *rand.Rand) {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()>>1 | 1
	}
	again := fmt.Sprintf("go test -count=1 -run '^%s$' ./internal/crash -seed %d", t.Name(), seed)
	if *long {
		again += " -long"
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again (the scheduler may differ): %s", again)
		}
	})
	return seed, rand.New(rand.NewPCG(seed, 0))
}

// report logs what a test has done, so that tools/test prints it.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		t.Logf("| %s", strings.TrimSuffix(line, "\n"))
	}
}

// memoryDir returns a directory in memory, if the machine has one: what is synced
// there need not be.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "stet-crash-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// notRaced says that a test is left to a run without the race detector, which
// would find nothing in it: make survive is one, and part of make test.
func notRaced(t *testing.T) {
	t.Helper()
	report(t, "%s: not under the race detector; make survive runs it without", t.Name())
}
