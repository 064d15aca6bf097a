package stet_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// A backup is made while others read and write. Note the hash that it returns: it
// shows later that the backup is this one, whole.
func ExampleStore_Backup() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "stet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "prompts.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "greeting", "Good morning.")

	revision, hash, err := store.Backup(ctx, filepath.Join(dir, "backup.db"), stet.BackupOptions{})
	if err != nil {
		log.Fatal(err)
	}
	now, err := store.Tail(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a backup up to revision", revision, "with the hash of now:", hash == now.Hash)
	// Output: a backup up to revision 2 with the hash of now: true
}
