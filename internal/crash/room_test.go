package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// roomChild shows that deleting makes room on a full disk, whoever has filled it: stet or
// another program. On the small file system at args[0] it saves until the disk is full,
// deletes one version after the other, of which each must get through, and saves again.
func roomChild(args []string) error {
	dir := args[0]
	seed := uint64(0)
	if _, err := fmt.Sscan(args[1], &seed); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	deleted, saved := 0, 0
	for _, filler := range []string{"stet", "another program", "both"} {
		path := filepath.Join(dir, "stet.db")
		s, err := sqlite.Open(background, path, nil)
		if err != nil {
			return err
		}
		n := 0
		save := func() error {
			n++
			text := strings.Repeat(fmt.Sprintf("%016x", rng.Uint64()), 1+rng.IntN(1500)) // 12 KB of the mean
			_, err := s.Save(background, stet.Draft{PromptID: "p", Text: text, Version: fmt.Sprintf("1.%d.0", n)})
			return err
		}
		untilFull := func(most int) (int, error) {
			for done := range most {
				if err := save(); err != nil {
					if stet.CodeOf(err) == stet.CodeUnavailable && strings.Contains(err.Error(), "the disk is full") {
						return done, nil
					}
					return done, err
				}
			}
			return most, nil
		}
		if _, err := untilFull(map[string]int{"stet": 100_000, "another program": 40, "both": 150}[filler]); err != nil {
			return fmt.Errorf("seed %d, filled by %s: %w", seed, filler, err)
		}
		if filler != "stet" {
			if err := fillUp(filepath.Join(dir, "ballast")); err != nil {
				return err
			}
		}
		if _, err := untilFull(100_000); err != nil {
			return fmt.Errorf("seed %d, filled by %s: %w", seed, filler, err)
		}
		live := 0
		for v, err := range s.List(background, "p", stet.ListOptions{Ascending: true}) {
			if err != nil {
				return err
			}
			live++
			if live > 20 {
				break
			}
			if _, err := s.Delete(background, stet.By{}, stet.Delete{PromptID: "p", Version: v.Number().String()}); err != nil {
				return fmt.Errorf("seed %d, filled by %s, delete %d: %w", seed, filler, live, err)
			}
			deleted++
		}
		again, err := untilFull(10)
		if err != nil || again == 0 {
			return fmt.Errorf("seed %d, filled by %s: after %d deletes %d saves got through: %w", seed, filler, live, again, err)
		}
		saved += again
		if err := s.Clear(background, stet.By{}); err != nil {
			return fmt.Errorf("seed %d, filled by %s, clear: %w", seed, filler, err)
		}
		if err := s.Close(); err != nil && !strings.Contains(err.Error(), "the next opening takes longer") {
			return fmt.Errorf("seed %d, filled by %s: %w", seed, filler, err)
		}
		// Room for the opening; what is there is what was left.
		if err := os.Remove(filepath.Join(dir, "ballast")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if s, err = sqlite.Open(background, path, nil); err != nil {
			return err
		}
		if err := errors.Join(verify(s), s.Close()); err != nil {
			return fmt.Errorf("seed %d, filled by %s: %w", seed, filler, err)
		}
		for _, name := range []string{"stet.db", "stet.db-wal", "stet.db-shm", "stet.db.lock", "ballast"} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	fmt.Printf("%d deletes, 3 clears, and then %d saves; seed %d\n", deleted, saved, seed)
	return nil
}

// fillUp takes all the room that the file system has left.
func fillUp(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for size := 1 << 20; size > 0; {
		switch _, err := f.Write(make([]byte, size)); {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2
		case err != nil:
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
