package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// fullDiskChild fills the small file system at args[0] with a store.
func fullDiskChild(args []string) error {
	dir := args[0]
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 6<<20), 0o600); err != nil {
		return err
	}
	path := filepath.Join(dir, "stet.db")
	s, err := sqlite.Open(background, path, nil)
	if err != nil {
		return err
	}
	saved := 0
	put := func(size int) error {
		_, err := s.Save(background, stet.Draft{PromptID: "a", Text: fmt.Sprint(saved, strings.Repeat("x", size)), Bump: "patch"})
		if err == nil {
			saved++
		}
		return err
	}
	holds := func(when string) error {
		r, err := s.Verify(background, stet.VerifyOptions{})
		if err != nil || !r.OK() || r.Versions != saved || r.Revision != uint64(saved) {
			return fmt.Errorf("%s: %d versions at revision %d, not %d; %v, %v", when, r.Versions, r.Revision, saved, r.Problems, err)
		}
		return nil
	}
	for err == nil && saved < 1000 {
		err = put(30_000)
	}
	fmt.Printf("after %d saves: %v\n", saved, err)
	if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "the disk is full. Nothing changed.") {
		return fmt.Errorf("on the full disk: %w", err)
	}
	for range 20 { // and again, larger and smaller
		for _, size := range []int{500_000, 100, 30_000} {
			if err := put(size); err != nil && stet.CodeOf(err) != stet.CodeUnavailable {
				return fmt.Errorf("on the full disk: %w", err)
			}
		}
	}
	if err := holds("on the full disk"); err != nil {
		return err
	}
	if _, err := sqlite.Open(background, filepath.Join(dir, "another.db"), nil); stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "is full. Make room") {
		return fmt.Errorf("making a store on a full disk: %w", err)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if err := put(1000); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	if err := errors.Join(holds("with room again"), s.Close()); err != nil {
		return err
	}
	if s, err = sqlite.Open(background, path, nil); err != nil {
		return fmt.Errorf("reopened: %w", err)
	}
	return errors.Join(holds("reopened"), put(1000), s.Close())
}
