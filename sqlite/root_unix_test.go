//go:build unix

package sqlite_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is the user that owns nothing.
const nobody = 65534

func dropRoot() error { return syscall.Setuid(nobody) }

// TestModesWhateverTheUmask makes stores under the umasks that hide the least and
// the most.
func TestModesWhateverTheUmask(t *testing.T) {
	dir := t.TempDir()
	for name, mask := range map[string]int{"open": 0, "closed": 0o277} {
		func() {
			defer syscall.Umask(syscall.Umask(mask))
			path := filepath.Join(dir, name)
			s := open(t, path, nil)
			defer shut(t, s)
			save(t, s, "a", "one")
			for _, rest := range []string{"", "-wal", "-shm"} {
				if info, err := os.Stat(path + rest); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("umask %03o: %s%s has %v, %v", mask, name, rest, info.Mode(), err)
				}
			}
		}()
	}
}
