package sqlite_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

const (
	crashRounds  = 30
	crashSavers  = 16
	crashPrompts = 5
	// crashAcks is the most acknowledgements between two kills: enough that
	// some kills come into the middle of the WAL being moved to the file.
	crashAcks = 250
)

// crashChild saves from 16 goroutines, and prints what was acknowledged, until it
// is killed.
func crashChild(args []string) error {
	path, broken := args[0], args[1] == "broken"
	log, err := sqlite.OpenLog(background, path, nil)
	if err != nil {
		return err
	}
	var engine driver.Log = log
	if broken {
		engine = testkit.Hasty(log)
	}
	s, err := core.Open(background, engine, &core.Options{CheckpointEvery: 300})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range crashSavers {
		go func() {
			filler := strings.Repeat("crash ", 50+100*w)
			for n := 0; ; n++ {
				text := fmt.Sprintf("%d %d %d %s", os.Getpid(), w, n, filler)
				saved, err := s.Save(background, stet.Draft{PromptID: fmt.Sprintf("p%d", n%crashPrompts), Text: text, Bump: "patch"})
				if err != nil {
					failed <- err
					return
				}
				v := saved.Version
				// One write, not buffered, shorter than what a pipe may split.
				if _, err := fmt.Fprintf(os.Stdout, "%s@%s %d %s\n", v.PromptID(), v.Number(), v.Revision(), v.Digest()); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// An ack is what a child was told of a version.
type ack struct {
	revision uint64
	digest   string
}

// crash runs a child until it has acknowledged n more saves, kills it, and adds
// what it acknowledged, up to its end, to acks.
func crash(t *testing.T, path, kind string, n int, acks map[string]ack) {
	t.Helper()
	cmd := testkit.Child(t.Context(), t, "save", path, kind)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		ref, rest, _ := strings.Cut(lines.Text(), " ")
		revision, digest, _ := strings.Cut(rest, " ")
		r, err := strconv.ParseUint(revision, 10, 64)
		if err != nil {
			t.Fatalf("the child printed %q", lines.Text())
		}
		if old, ok := acks[ref]; ok {
			t.Fatalf("%s was acknowledged twice, at revisions %d and %d", ref, old.revision, r)
		}
		acks[ref] = ack{r, digest}
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
}

// missing opens the store and returns what of the acknowledged is not in it.
func missing(t *testing.T, path string, acks map[string]ack) (err error) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := s.Verify(t.Context(), stet.VerifyOptions{})
	if err != nil {
		return err
	}
	if !r.OK() {
		return fmt.Errorf("verify: %s", strings.Join(r.Problems, "\n"))
	}
	lost := 0
	for ref, a := range acks {
		v, err := s.Get(t.Context(), ref)
		if err != nil || v.Revision() != a.revision || v.Digest().String() != a.digest {
			lost++
		}
	}
	if lost > 0 {
		return fmt.Errorf("%d of %d acknowledged saves are missing or different; the log ends at revision %d", lost, len(acks), r.Revision)
	}
	return nil
}

// TestCrash kills a process that saves, 30 times at random moments, on one store.
func TestCrash(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "stet.db")
	acks := make(map[string]ack)
	for round := range crashRounds {
		n := rng.IntN(crashAcks)
		crash(t, path, "sound", n, acks)
		if round%5 == 4 { // else the next child is the first to open it
			if err := missing(t, path, acks); err != nil {
				t.Fatalf("seed %d, round %d, killed at acknowledgement %d: %v", seed, round, n, err)
			}
		}
	}
	if err := missing(t, path, acks); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	last := slices.Max(slices.Collect(func(yield func(uint64) bool) {
		for a := range maps.Values(acks) {
			if !yield(a.revision) {
				return
			}
		}
	}))
	t.Logf("seed %d: %d kills, %d saves acknowledged, all there; the last at revision %d", seed, crashRounds, len(acks), last)
}

// TestCrashFindsAHastyEngine shows that the crash test can fail.
func TestCrashFindsAHastyEngine(t *testing.T) {
	for round := range crashRounds {
		path := filepath.Join(t.TempDir(), "stet.db")
		acks := make(map[string]ack)
		crash(t, path, "broken", 50, acks)
		if err := missing(t, path, acks); err != nil {
			t.Logf("found in round %d: %v", round, err)
			return
		}
	}
	t.Error("an engine that acknowledges before it commits was not found out")
}
