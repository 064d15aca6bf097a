package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet/internal/transfer"
	"github.com/stet-dev/stet/sqlite"
)

// TestImportKilled kills an import in the middle of its input and runs it again:
// nothing is missing then, and nothing is there twice.
func TestImportKilled(t *testing.T) {
	const prompts, each = 20, 100
	text := func(p, n int) string { return fmt.Sprintf("%d of %d %s", n, p, strings.Repeat("x", 1000)) }
	var lines []string
	for n := range each {
		for p := range prompts {
			lines = append(lines, fmt.Sprintf(`{"prompt_id":"p%d","text":%q}`+"\n", p, text(p, n)))
		}
	}
	whole := strings.Join(lines, "")
	half := strings.Join(lines[:len(lines)/2], "")
	path := filepath.Join(t.TempDir(), "stet.db")
	command := func(args ...string) *exec.Cmd { // TestMain makes this binary stet
		return exec.Command("stet", append(args, "--store", "sqlite:"+path)...)
	}

	killed := command("import", "-")
	stdin, err := killed.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	// A pipe holds far less than half, and an import reads ahead by no more than
	// what its workers have in hand: when all is written, it is well under way. It
	// waits for more, for the pipe stays open.
	_, werr := io.WriteString(stdin, half)
	if err := killed.Process.Kill(); err != nil || werr != nil {
		t.Fatal(err, werr)
	}
	if err := killed.Wait(); err == nil || killed.ProcessState.Exited() && killed.ProcessState.ExitCode() == 0 {
		t.Fatalf("the import was not killed: %v", killed.ProcessState)
	}

	run := func(stdin string, v any, args ...string) {
		t.Helper()
		c := command(append(args, "--json")...)
		c.Stdin = strings.NewReader(stdin)
		var stderr strings.Builder
		c.Stderr = &stderr
		out, err := c.Output()
		if err == nil {
			err = json.Unmarshal(out, v)
		}
		if err != nil {
			t.Fatalf("stet %s: %v\n%s%s", args, err, out, stderr.String())
		}
	}
	verify := func() (report struct {
		Versions int
		Hash     string
		Problems []string
	}) {
		t.Helper()
		run("", &report, "verify")
		if len(report.Problems) > 0 {
			t.Errorf("problems: %q", report.Problems)
		}
		return report
	}

	kept := verify().Versions
	if kept == 0 || kept > len(lines)/2 {
		t.Fatalf("the import that was killed left %d versions of %d", kept, len(lines)/2)
	}
	t.Logf("killed after %d versions of %d", kept, len(lines))

	var sum transfer.Summary
	run(whole, &sum, "import", "-")
	if sum.Lines != len(lines) || sum.Already != kept || sum.Versions != len(lines)-kept {
		t.Errorf("run again: %+v, and %d were kept", sum, kept)
	}
	after := verify()
	if after.Versions != len(lines) {
		t.Errorf("%d versions are there, want %d", after.Versions, len(lines))
	}
	sum = transfer.Summary{}
	run(whole, &sum, "import", "-")
	if sum.Already != len(lines) || sum.Versions+sum.Changes+sum.Unchanged != 0 {
		t.Errorf("run a third time: %+v", sum)
	}
	if again := verify(); again.Hash != after.Hash {
		t.Errorf("the third run changed the log")
	}

	s, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for p := range prompts {
		for n := range each {
			v, err := s.Get(t.Context(), fmt.Sprintf("p%d@#%d", p, n+1))
			if err != nil || v.Text() != text(p, n) {
				t.Fatalf("version %d of p%d is %.20q, %v", n+1, p, v.Text(), err)
			}
		}
	}
}
