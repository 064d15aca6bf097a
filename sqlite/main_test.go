package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// children are what the test binary does instead of testing when a test starts it
// again, by the name in the environment.
var children = map[string]func(args []string) error{
	"hold":      hold,
	"save":      crashChild,
	"full disk": fullDiskChild,
	"read-only": readOnlyChild,
}

const childEnv = "STET_SQLITE_TEST_CHILD"

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

// start starts a child and returns its output, line by line, and a function that
// lets it end and waits until it has.
func start(t *testing.T, name string, args ...string) (*bufio.Scanner, func()) {
	t.Helper()
	cmd := child(t.Context(), t, name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewScanner(out), func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// leftOut says loudly that something was not tested here: t.Skip is not seen.
func leftOut(t *testing.T, what string, why error) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "\n*** LEFT OUT, not tested on this machine: %s: %s: %v ***\n\n", t.Name(), what, why)
}
