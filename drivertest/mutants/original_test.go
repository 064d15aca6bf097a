package mutants

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stet-dev/stet/drivertest"
)

// TestOriginal runs the store that stet began with in a child process, which may
// crash. It runs with -catch only.
func TestOriginal(t *testing.T) {
	const child = "STET_ORIGINAL"
	if os.Getenv(child) != "" {
		quiet(t)
		must(t, drivertest.CheckSix(t.Context(), func() drivertest.Doer { return drivertest.Original(false) }))
		return
	}
	if !*catchFlag {
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
