package crash

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

var (
	seedFlag = flag.Uint64("seed", 0, "the seed of all that is random, but for the scheduler; 0 takes one at random")
	long     = flag.Bool("long", false, "run the long form")
)

// children are what the test binary does instead of testing when a test starts it
// again, by the name in the environment.
var children = map[string]func(args []string) error{
	"commit": commitChild,
}

const childEnv = "STET_CRASH_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// child returns the command for a child.
func child(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
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

// tell says what a test has done, so that tools/test prints it.
func tell(t *testing.T, format string, args ...any) {
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
	tell(t, "%s: not under the race detector; make survive runs it without", t.Name())
}

// leftOut says loudly that something was not tested here: t.Skip is not seen.
func leftOut(t *testing.T, what string, why any) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "\n*** LEFT OUT, not tested on this machine: %s: %s: %v ***\n\n", t.Name(), what, why)
}
