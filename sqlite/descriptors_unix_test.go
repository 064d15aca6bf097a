//go:build unix

package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

func init() { children["no descriptors"] = noDescriptorsChild }

// TestNoDescriptors runs a store in a process that has used up its descriptors, as a
// server with too many connections has.
func TestNoDescriptors(t *testing.T) {
	out, err := testkit.Child(t.Context(), t, "no descriptors", filepath.Join(t.TempDir(), "stet.db")).Output()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// noDescriptorsChild keeps a store at args[0].
func noDescriptorsChild(args []string) error {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	s, err := sqlite.Open(background, args[0], &sqlite.Options{Options: core.Options{CacheBytes: -1}})
	if err != nil {
		return err
	}
	const versions = 50
	save := func() error {
		_, err := s.Save(background, stet.Draft{PromptID: "a", Text: "x", Bump: "patch"})
		return err
	}
	for range versions {
		if err := save(); err != nil {
			return err
		}
	}
	var taken []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			return err
		}
		taken = append(taken, f)
	}
	// More readers than there are connections.
	errs := make(chan error)
	for i := range versions {
		go func() {
			_, err := s.Get(background, fmt.Sprintf("a@1.0.%d", i))
			errs <- err
		}()
	}
	var failed []error
	for range versions {
		if err := <-errs; err != nil {
			failed = append(failed, fmt.Errorf("a cold read without a descriptor: %w", err))
		}
	}
	if err := save(); err != nil {
		failed = append(failed, fmt.Errorf("a save without a descriptor: %w", err))
	}
	report, err := s.Verify(background, stet.VerifyOptions{})
	switch {
	case err != nil && stet.CodeOf(err) != stet.CodeUnavailable:
		failed = append(failed, fmt.Errorf("verifying without a descriptor: %w", err))
	case !report.OK():
		failed = append(failed, fmt.Errorf("damage that is none: %q", report.Problems))
	}
	_, _, err = s.Backup(background, args[0]+".backup", stet.BackupOptions{})
	if stet.CodeOf(err) != stet.CodeUnavailable {
		failed = append(failed, fmt.Errorf("a backup without a descriptor: %v, and should be unavailable", err))
	}
	_, err = sqlite.Open(background, args[0]+".other", nil)
	if stet.CodeOf(err) != stet.CodeUnavailable {
		failed = append(failed, fmt.Errorf("opening without a descriptor: %v, and should be unavailable", err))
	}
	for _, f := range taken {
		failed = append(failed, f.Close())
	}
	report, err = s.Verify(background, stet.VerifyOptions{})
	if err != nil || !report.OK() || report.Versions != versions+1 {
		failed = append(failed, fmt.Errorf("with descriptors again: %d versions, %q, %v", report.Versions, report.Problems, err))
	}
	return errors.Join(append(failed, s.Close())...)
}
