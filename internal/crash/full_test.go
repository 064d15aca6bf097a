package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/sqlite"
)

// fullChild fills the small file system at args[0] from 16 goroutines, makes room,
// goes on, and holds what is there against what was told. It does so again and
// again, with the end at another place.
func fullChild(args []string) error {
	dir := args[0]
	rounds, seed := 0, uint64(0)
	if _, err := fmt.Sscan(args[1]+" "+args[2], &rounds, &seed); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	acks, failed, again := 0, 0, 0
	for round := range rounds {
		l := load{seed + uint64(round), prompts}
		r := &run{ledger: *newLedger(l), failed: make(map[id]bool), unknown: make(map[id]bool)}
		path := filepath.Join(dir, "stet.db")
		ballast := filepath.Join(dir, "ballast")
		// More than is left for the store: moving the WAL to the file may take as
		// much again as both have.
		if err := os.WriteFile(ballast, make([]byte, 13<<19+rng.IntN(2<<20)), 0o600); err != nil {
			return err
		}
		s, err := sqlite.Open(background, path, &sqlite.Options{Options: core.Options{CheckpointEvery: 50}})
		if err != nil {
			return err
		}
		if err := r.fill(s, 0, 25); err != nil {
			return fmt.Errorf("seed %d, round %d: %w", seed, round, err)
		}
		full := len(r.failed)
		if full == 0 {
			return fmt.Errorf("seed %d, round %d: the disk was not full", seed, round)
		}
		if err := errors.Join(verify(s), r.reads(s), os.Remove(ballast)); err != nil {
			return fmt.Errorf("seed %d, round %d, on the full disk: %w", seed, round, err)
		}
		before := len(r.told)
		if err := r.fill(s, 1, 1); err != nil {
			return fmt.Errorf("seed %d, round %d, with room again: %w", seed, round, err)
		}
		if len(r.failed) > full || len(r.unknown) > 0 {
			return fmt.Errorf("seed %d, round %d: with room again %d commits failed; unknown: %d", seed, round, len(r.failed)-full, len(r.unknown))
		}
		again += len(r.told) - before
		_, err = r.reread(s)
		if err := errors.Join(err, s.Close()); err != nil {
			return fmt.Errorf("seed %d, round %d: %w", seed, round, err)
		}
		if err := r.holdsAfter(path); err != nil {
			return fmt.Errorf("seed %d, round %d, opened again: %w", seed, round, err)
		}
		acks, failed = acks+len(r.told), failed+len(r.failed)
		for _, rest := range []string{"", "-wal", "-shm", ".lock"} {
			_ = os.Remove(path + rest)
		}
	}
	fmt.Printf("%d rounds, %d commits done, %d of them with room again, %d failed on the full disk and not in the log, none unknown; seed %d\n",
		rounds, acks, again, failed, seed)
	return nil
}

// fill commits from 16 goroutines, each until so many of its commits have failed,
// or 20 are done in the second life.
func (r *run) fill(s *stet.Store, life, failures int) error {
	var mu sync.Mutex
	var work sync.WaitGroup
	var errs []error
	for w := range workers {
		work.Go(func() {
			for n, bad := 0, 0; bad < failures && n < 20_000 && (life == 0 || n < 20); n++ {
				i := id{life, w, n}
				done, err := s.Commit(background, r.load.commit(i))
				mu.Lock()
				switch code := stet.CodeOf(err); {
				case err == nil:
					r.told[i] = answer{done.Revision, sum(done.Results)}
				case code == stet.CodeConflict || code == stet.CodeNotFound:
					r.refused[i] = code
				case code == stet.CodeUnavailable && strings.Contains(err.Error(), "the disk is full"):
					bad++
					r.failed[i] = true
				default:
					errs = append(errs, fmt.Errorf("%s: %w", i, err))
					bad = failures
				}
				mu.Unlock()
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}
