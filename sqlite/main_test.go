package sqlite_test

import (
	"bufio"
	"context"
	"io"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

// children are what a child does, by its name. Those of one system add themselves.
var children = map[string]func(args []string) error{
	"hold":      hold,
	"copying":   copyProgress,
	"save":      crashChild,
	"full disk": fullDiskChild,
	"read-only": readOnlyChild,
}

func TestMain(m *testing.M) { testkit.Main(m, children) }

// start starts a child and returns its output, line by line, and a function that
// lets it end and waits until it has.
func start(t *testing.T, name string, args ...string) (*bufio.Scanner, func()) {
	t.Helper()
	cmd := testkit.Child(t.Context(), t, name, args...)
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

// startKilled starts a child that ends with the context, and returns its output, line
// by line, and a function that waits until it has.
func startKilled(ctx context.Context, t *testing.T, name string, args ...string) (*bufio.Scanner, func()) {
	t.Helper()
	cmd := testkit.Child(ctx, t, name, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewScanner(out), func() {
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err == nil {
			t.Errorf("%s has ended by itself", name)
		}
	}
}
