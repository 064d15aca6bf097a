package crash

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

// raced says that the race detector is on, with which all takes ten times as long.
var raced bool

const (
	workers = 16
	prompts = 5

	// leastAcks is how many commits TestKill must see acknowledged.
	leastAcks = 20_000
)

// commitChild commits from 16 goroutines and prints what it is told, until it is
// killed, or until its standard input ends. Its arguments: the file, the seed, its
// life, after how many commits a checkpoint is made, what it is, and commits to send
// first: those whose answer a life before has missed.
func commitChild(args []string) error {
	path, kind := args[0], args[4]
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	life, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	every, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		// One write, not buffered, shorter than what a pipe may split.
		if _, err := fmt.Fprintf(os.Stdout, format+"\n", args...); err != nil {
			os.Exit(1) // nobody listens
		}
	}
	say("opening %d", os.Getpid())
	log, err := sqlite.OpenLog(background, path, nil)
	if err != nil {
		return err
	}
	var engine driver.Log = log
	if kind == "hasty" {
		engine = testkit.Hasty(log)
	}
	s, err := core.Open(background, engine, &core.Options{CheckpointEvery: every})
	if err != nil {
		return err
	}
	say("opened")
	l := load{seed, prompts}
	commit := func(i id) error {
		done, err := s.Commit(background, l.commit(i))
		switch code := stet.CodeOf(err); code {
		case "":
			say("ack %s %d %s", i, done.Revision, sum(done.Results))
		case stet.CodeConflict, stet.CodeNotFound:
			say("refused %s %s", i, code)
		default:
			return fmt.Errorf("%s: %w", i, err)
		}
		return nil
	}
	for _, arg := range args[5:] {
		i, err := parseID(arg)
		if err != nil {
			return err
		}
		if err := commit(i); err != nil {
			return err
		}
	}
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	var work sync.WaitGroup
	failed := make(chan error, workers)
	for w := range workers {
		work.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := commit(id{life, w, n}); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	work.Wait()
	say("closing")
	close(failed)
	return errors.Join(<-failed, s.Close())
}

// A moment is when a child is killed.
type moment struct {
	after string // what it has said: "opening", "opened", "closing"; "" for acknowledgements, "end" for not at all
	acks  int
	more  time.Duration // and so much later
}

func (m moment) String() string {
	if m.after == "" {
		return fmt.Sprintf("%d acknowledgements and %v", m.acks, m.more)
	}
	return fmt.Sprintf("%s and %v", m.after, m.more)
}

// draw draws a moment: mostly while it commits, now and then in opening or closing.
func draw(rng *rand.Rand, mean int) moment {
	m := moment{acks: 1 + rng.IntN(2*mean), more: time.Duration(rng.IntN(2000)) * time.Microsecond}
	switch rng.IntN(12) {
	case 0:
		m.after, m.more = "opening", 4*m.more
	case 1:
		m.after = "opened"
	case 2:
		m.after = "closing"
	}
	return m
}

// runUntilKilled runs a child until its moment, kills it, and reads what it printed.
func (l *ledger) runUntilKilled(t *testing.T, cmd *exec.Cmd, life int, m moment) error {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	l.begin(life, workers)
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := 0 // of the child, which strace may be around
	kill := func() {
		for start := time.Now(); time.Since(start) < m.more; { // a timer is too coarse
		}
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
		}
	}
	var heard error
	acks := 0
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			break // what it was about to say does not count
		}
		line = line[:len(line)-1]
		if f := strings.Fields(line); f[0] == "opening" || f[0] == "opened" || f[0] == "closing" {
			if len(f) == 2 {
				pid, _ = strconv.Atoi(f[1])
			}
			if f[0] == m.after {
				kill()
			}
			continue
		}
		if err := l.readLine(line); err != nil && heard == nil {
			heard = err
		}
		if acks++; acks == m.acks {
			if m.after == "closing" || m.after == "end" {
				in.Close()
			} else if m.after == "" {
				kill()
			}
		}
	}
	if err := cmd.Wait(); err == nil && m.after != "closing" && m.after != "end" {
		return errors.New("the child ended by itself")
	} else if cmd.ProcessState.ExitCode() > 0 {
		return fmt.Errorf("the child failed: %w", err)
	}
	return heard
}

// reopen opens the store, checks it, and sends some commits again.
func (l *ledger) reopen(path string, rng *rand.Rand, some int) (err error) {
	s, err := sqlite.Open(background, path, &sqlite.Options{Options: core.Options{CheckpointEvery: 100 + rng.IntN(400)}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := errors.Join(verify(s), l.check(s)); err != nil {
		return err
	}
	if err := l.resend(s, rng, some); err != nil {
		return err
	}
	return errors.Join(l.check(s), l.heads(s))
}

// TestKill kills a process that commits, at random moments.
func TestKill(t *testing.T) {
	stores, rounds, mean := 5, 22, 240
	switch {
	case *long:
		stores, rounds, mean = 20, 60, 500
	case raced:
		stores, rounds, mean = 1, 6, 50
	}
	seed, rng := seeded(t)
	start := time.Now()
	kills, acks, refused, resent, resolved, log := 0, 0, 0, 0, 0, uint64(0)
	for n := 0; n < stores || !raced && acks < leastAcks; n++ { // many of the moments may be early ones
		path := filepath.Join(t.TempDir(), "stet.db")
		l := newLedger(load{seed + uint64(n), prompts})
		for life := range rounds {
			m := draw(rng, mean)
			every := []int{40, 300, -1}[rng.IntN(3)]
			cmd := testkit.Child(t.Context(), t, "commit", path, fmt.Sprint(l.load.seed), fmt.Sprint(life), fmt.Sprint(every), "sound")
			if err := l.runUntilKilled(t, cmd, life, m); err != nil {
				t.Fatalf("seed %d, store %d, round %d, killed after %v: %v", seed, n, life, m, err)
			}
			kills++
			if life < rounds-1 && rng.IntN(4) == 0 {
				continue // the next child is the first to open it
			}
			if err := l.reopen(path, rng, 6); err != nil {
				t.Fatalf("seed %d, store %d, round %d, killed after %v: %v", seed, n, life, m, err)
			}
		}
		if err := l.everything(path); err != nil {
			t.Fatalf("seed %d, store %d, at the end: %v", seed, n, err)
		}
		acks, refused, resent, resolved, log = acks+len(l.told), refused+len(l.refused), resent+l.resent, resolved+l.resolved, log+l.revision
	}
	took := time.Since(start)
	report(t, "crash: %d kills on %d stores in %.0f s: %d commits acknowledged, all there whole; %d refused, none there; log entries: %d; sent again: %d, and %d whose answer was missing, each applied once; seed %d",
		kills, kills/rounds, took.Seconds(), acks, refused, log, resent, resolved, seed)
	if !raced && kills < 100 {
		t.Errorf("%d kills are fewer than 100", kills)
	}
}

// everything sends all acknowledged commits again, and holds the tables of the
// closed file against the log.
func (l *ledger) everything(path string) (err error) {
	s, err := sqlite.Open(background, path, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, s.Close()); err == nil {
			err = l.tables(path)
		}
	}()
	for i, was := range l.told {
		if err := l.sendAgain(s, i, was); err != nil {
			return err
		}
		l.resent++
	}
	return errors.Join(verify(s), l.check(s), l.holdsAll(), l.heads(s))
}

// TestKillFindsAHastyEngine shows that the test can fail.
func TestKillFindsAHastyEngine(t *testing.T) {
	_, rng := seeded(t)
	for life := range 30 {
		path := filepath.Join(t.TempDir(), "stet.db")
		l := newLedger(load{1, prompts})
		cmd := testkit.Child(t.Context(), t, "commit", path, "1", fmt.Sprint(life), "-1", "hasty")
		err := l.runUntilKilled(t, cmd, life, moment{acks: 50})
		if err == nil {
			err = l.reopen(path, rng, 6)
		}
		if err != nil {
			t.Logf("found in round %d: %v", life, err)
			return
		}
	}
	t.Error("an engine that acknowledges before it commits was not found out")
}
