package httpapi

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stet-dev/stet/internal/temp"
	"github.com/stet-dev/stet/sqlite"
)

// TestKilledBackup: the copies that a killed server has left go with the next backup,
// and those that another server sends do not.
func TestKilledBackup(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "stet-backup-123")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lock", "backup"} {
		if err := os.WriteFile(filepath.Join(left, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	another, err := temp.Mkdir(t.Context(), dir, "stet-backup-")
	if err != nil {
		t.Fatal(err)
	}
	defer another.Remove()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "stet.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	newPeer(t, store, Options{tempDir: dir}).ok(http.StatusOK, http.MethodGet, "/v1/backup", "")
	if _, err := os.Lstat(left); err == nil {
		t.Error("what was left is still there")
	}
	if _, err := os.Lstat(another.Path("lock")); err != nil {
		t.Errorf("another server's copy is gone: %v", err)
	}
}
