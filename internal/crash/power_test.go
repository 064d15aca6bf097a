package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

// A story is what processes did to a store, one after the other, and what they
// were told.
type story struct {
	load   load
	steps  []step
	begins []int // where in steps each process begins
}

// record runs children under strace, each on what the one before has left. The
// answers that one did not get the next asks for first.
func record(t *testing.T, rng *rand.Rand, seed uint64, acks ...int) (*story, error) {
	t.Helper()
	l := newLedger(load{seed, prompts})
	st := &story{load: l.load}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "stet.db")
	d := newDisk()
	for life, n := range acks {
		m := moment{acks: n, more: time.Duration(rng.IntN(2000)) * time.Microsecond}
		if n < 0 { // to its end
			m = moment{acks: -n, after: "end"}
		}
		args := []string{path, fmt.Sprint(seed), fmt.Sprint(life), "150", "sound"}
		for who, n := range l.next {
			args = append(args, id{who[0], who[1], n}.String())
		}
		plain := testkit.Child(t.Context(), t, "commit", args...)
		trace := filepath.Join(t.TempDir(), "trace")
		with := straceArgs(trace)
		if n == inSync {
			with = append(with, "-e", fmt.Sprintf("inject=fsync,fdatasync:signal=KILL:when=%d", 3+rng.IntN(12)))
			with = slices.DeleteFunc(with, func(arg string) bool { return arg == "--seccomp-bpf" }) // with it strace sends no signal
			m.acks = 400                                                                            // if it lives on
		}
		cmd := exec.CommandContext(t.Context(), "strace", append(append(with, plain.Path), plain.Args[1:]...)...)
		cmd.Env, cmd.Stderr = plain.Env, plain.Stderr
		if err := l.runUntilKilled(t, cmd, life, m); err != nil {
			return nil, err
		}
		for who := range l.next {
			if who[0] < life {
				delete(l.next, who) // it was asked for
			}
		}
		steps, err := parse(trace, dir)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			d.take(s)
		}
		// A write that the kill came into may have happened, or a part of it.
		for _, s := range steps {
			if ch := s.call.wrote; ch != nil && !ch.done {
				st.real(dir, s.call)
			}
		}
		d.ended()
		// strace tells now and then nothing of the very last write.
		if last := d.difference(dir); last != nil && m.after != "end" && len(last.data) <= mostUntold {
			c := &call{name: "pwrite64", path: last.to, off: last.off, data: last.data}
			steps = append(steps, step{true, c})
			d.take(steps[len(steps)-1])
			d.ended()
		}
		if diff := d.difference(dir); diff != nil {
			return nil, fmt.Errorf("the trace is not what happened: %s differs in %d bytes at %d", diff.to, len(diff.data), diff.off)
		}
		if err := os.Remove(trace); err != nil {
			return nil, err
		}
		st.begins = append(st.begins, len(st.steps))
		st.steps = append(st.steps, steps...)
	}
	return st, nil
}

// mostUntold is the longest write that SQLite makes to the WAL: a page.
const mostUntold = 16384

// inSync, in place of a number of acknowledgements, is a life that ends in a sync:
// what was written is there for the next, and not durable.
const inSync = 0

// real gives an unfinished write the data that is in the file.
func (*story) real(dir string, c *call) {
	b, _ := os.ReadFile(filepath.Join(dir, c.path))
	end := min(int64(len(b)), c.off+int64(len(c.data)))
	if c.data == nil || end < c.off {
		return
	}
	c.data = slices.Clone(b[c.off:end])
	c.wrote.data = c.data
}

// without returns the story without the syncs of some paths.
func (st *story) without(sync func(path string) bool) *story {
	kept := &story{load: st.load}
	for i, s := range st.steps {
		if slices.Contains(st.begins, i) {
			kept.begins = append(kept.begins, len(kept.steps))
		}
		if (s.call.name == "fsync" || s.call.name == "fdatasync") && sync(s.call.path) {
			continue
		}
		kept.steps = append(kept.steps, s)
	}
	return kept
}

// play plays the story and cuts the power at some of its moments, several times
// each. It returns what was wrong with what was left, at most most of them.
func (st *story) play(t *testing.T, rng *rand.Rand, moments, losses, most int) (faults []string, images int, err error) {
	t.Helper()
	d := newDisk()
	l := newLedger(st.load)
	at := st.draw(rng, moments)
	dir := memoryDir(t)
	for n, s := range st.steps {
		if slices.Contains(st.begins, n) {
			d.ended()
		}
		if s.begin && s.call.said != "" {
			if err := l.note(s.call.said); err != nil {
				return faults, images, err
			}
		}
		d.take(s)
		for ; at[0] == n; at = at[1:] {
			for range losses {
				lost := drawLoss(rng)
				image := filepath.Join(dir, "image")
				if err := errors.Join(os.RemoveAll(image), os.Mkdir(image, 0o700), d.lose(image, rng, lost)); err != nil {
					return faults, images, err
				}
				images++
				if err := l.survives(filepath.Join(image, "stet.db"), rng.IntN(4) == 0); err != nil {
					faults = append(faults, fmt.Sprintf("power lost at step %d of %d (%s %s), %v: %v", n, len(st.steps), s.call.name, s.call.path, lost, err))
					if len(faults) == most {
						return faults, images, nil
					}
				}
			}
		}
	}
	return faults, images, nil
}

// each, as a number of moments, is all there are.
const each = -1

// draw draws steps: acknowledgements, those that come first after a process has
// ended, syncs of the WAL, changes of names and of the file, and any.
func (st *story) draw(rng *rand.Rand, n int) []int {
	if n == each {
		at := make([]int, len(st.steps))
		for i := range at {
			at[i] = i
		}
		return append(at, -1)
	}
	kinds := make([][]int, 5)
	said := 0
	for i, s := range st.steps {
		if slices.Contains(st.begins, i) {
			said = 0
		}
		if s.begin && strings.HasPrefix(s.call.said, "ack ") {
			if said++; said <= workers/2 {
				kinds[4] = append(kinds[4], i)
			}
		}
		kind := 0
		switch {
		case s.call.said != "":
			kind = 1
		case s.call.name == "fsync" || s.call.name == "fdatasync":
			if kind = 2; s.call.path != "stet.db-wal" {
				kind = 3
			}
		case s.call.make || s.call.to != "" || strings.HasPrefix(s.call.name, "unlink") || s.call.name == "ftruncate" || s.call.path == "stet.db":
			kind = 3
		}
		kinds[kind] = append(kinds[kind], i)
	}
	var at []int
	for i := range n {
		if k := kinds[i%len(kinds)]; len(k) > 0 {
			at = append(at, k[rng.IntN(len(k))])
		}
	}
	slices.Sort(at)
	return append(at, -1)
}

// note takes in what a child has said, with no order between lives.
func (l *ledger) note(line string) error {
	f := strings.Fields(line)
	if f[0] != "ack" && f[0] != "refused" {
		return nil
	}
	i, err := parseID(f[1])
	if err != nil {
		return err
	}
	l.begin(i.life, workers)
	l.next[[2]int{i.life, i.worker}] = i.n
	return l.readLine(line)
}

// survives opens what is left and holds it against what was acknowledged.
func (l *ledger) survives(path string, goOn bool) (err error) {
	s, err := sqlite.Open(background, path, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := l.reread(s); err != nil || !goOn {
		return err
	}
	// It can be written to.
	if _, err := s.Save(background, stet.Draft{PromptID: "after", Text: "the loss of power"}); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	again, err := sqlite.Open(background, path, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.Close()) }()
	if _, err := again.Get(background, "after@latest"); err != nil {
		return err
	}
	return verify(again)
}

// TestPowerLoss builds, from the system calls of processes that commit, are killed
// and recover, what a loss of power could leave, and opens it.
func TestPowerLoss(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		testkit.LeftOut(t, "what a loss of power leaves, built from a trace of system calls", err)
		return
	}
	acks, moments, losses := []int{150, inSync, 600, inSync, -100, inSync, 50}, 120, 2
	stories := 1
	if raced {
		notRaced(t)
		return
	}
	if *long {
		stories, moments, losses = 5, 600, 4
		acks = append(acks, inSync, 1000, inSync, inSync, 3, inSync, 200, -1, inSync, 400)
	}
	seed, rng := seeded(t)
	for n := range stories {
		start := time.Now()
		st, err := record(t, rng, seed+uint64(n), acks...)
		if err != nil {
			t.Fatalf("seed %d, story %d: %v", seed, n, err)
		}
		recorded := time.Since(start)
		faults, images, err := st.play(t, rng, moments, losses, 5)
		if err != nil {
			t.Fatalf("seed %d, story %d: %v", seed, n, err)
		}
		for _, f := range faults {
			t.Errorf("seed %d, story %d: %s", seed, n, f)
		}
		syncs, writes, said := st.count()
		report(t, "power loss: %d processes, %d writes and %d syncs traced (%.0f s), %d answers; %d images at %d moments opened (%.0f s), %d faulty; seed %d",
			len(acks), writes, syncs, recorded.Seconds(), said, images, moments, (time.Since(start) - recorded).Seconds(), len(faults), seed)
		if n > 0 {
			continue
		}
		// The check can fail: without some of the syncs something is lost.
		for what, sync := range map[string]func(path string) bool{
			"of the WAL":       func(path string) bool { return strings.HasSuffix(path, "-wal") },
			"of the file":      func(path string) bool { return path == "stet.db" },
			"of the directory": func(path string) bool { return path == "." },
		} {
			faults, images, err := st.without(sync).play(t, rng, 4*moments, 1, 1)
			switch {
			case err != nil:
				t.Fatal(err)
			case len(faults) == 0:
				t.Errorf("seed %d: without the syncs %s, nothing was found in %d images", seed, what, images)
			default:
				t.Logf("without the syncs %s, image %d: %.300s", what, images, faults[0])
			}
		}
	}
}

// TestPowerLossAtBirth is about each moment of the making of a store, and of the
// first commits.
func TestPowerLossAtBirth(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		testkit.LeftOut(t, "what a loss of power leaves of a store that is being made", err)
		return
	}
	if raced {
		notRaced(t)
		return
	}
	losses := 8
	if *long {
		losses = 40
	}
	seed, rng := seeded(t)
	start := time.Now()
	st, err := record(t, rng, seed, 2, -2)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	faults, images, err := st.play(t, rng, each, losses, 5)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, f := range faults {
		t.Errorf("seed %d: %s", seed, f)
	}
	report(t, "power loss while a store is made: %d images at each of %d moments opened (%.0f s), %d faulty; seed %d",
		images, len(st.steps), time.Since(start).Seconds(), len(faults), seed)
}

func (st *story) count() (syncs, writes, said int) {
	for _, s := range st.steps {
		switch {
		case !s.begin:
		case s.call.said != "":
			said++
		case strings.HasSuffix(s.call.name, "sync"):
			syncs++
		case s.call.data != nil:
			writes++
		}
	}
	return syncs, writes, said
}
