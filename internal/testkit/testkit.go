// Package testkit is what tests of several packages share: children, which are the
// test binary in a process of its own, the engine that such tests must find out,
// and how it is said that something was not tested.
package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet/driver"
)

const childEnv = "STET_TEST_CHILD"

// Main is for TestMain. It runs the tests, or, in a process that Child has started,
// the child of that name with the arguments.
func Main(m *testing.M, children map[string]func(args []string) error) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// Child returns the command for a child.
func Child(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
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

// LeftOut says loudly that something was not tested here: t.Skip is not seen.
func LeftOut(t *testing.T, what string, why any) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "\n*** LEFT OUT, not tested on this machine: %s: %s: %v ***\n\n", t.Name(), what, why)
}

// A hasty engine acknowledges before it has committed.
type hasty struct {
	driver.Log // and nothing that it can do beyond that
	mu         sync.Mutex
	tail       driver.Tail
	later      chan func()
}

// Hasty returns an engine that acknowledges before it has committed: the mistake
// that tests which kill processes are there to find.
func Hasty(log driver.Log) driver.Log {
	h := &hasty{Log: log, later: make(chan func(), 1<<20)}
	h.tail, _ = log.Barrier(context.Background())
	go func() {
		for f := range h.later {
			f()
		}
	}()
	return h
}

func (h *hasty) Append(_ context.Context, prev driver.Tail, entries []driver.Entry) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if prev != h.tail {
		return driver.ErrMoved
	}
	last := &entries[len(entries)-1]
	h.tail = driver.Tail{Revision: last.Revision, Hash: last.Hash}
	h.later <- func() { _ = h.Log.Append(context.Background(), prev, entries) }
	return nil
}
