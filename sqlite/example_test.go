package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/sqlite"
)

// A store is made of a backup, which must have the entry that was noted when it was
// made. The new store has an id of its own, so that nobody goes on in it where he
// was in the old one.
func ExampleRestore() {
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
	if _, err := store.Save(ctx, stet.Draft{PromptID: "greeting", Text: "Hello."}); err != nil {
		log.Fatal(err)
	}
	backup := filepath.Join(dir, "backup.db")
	_, hash, err := store.Backup(ctx, backup, stet.BackupOptions{})
	if err != nil {
		log.Fatal(err)
	}

	path := filepath.Join(dir, "restored.db")
	if _, err := sqlite.Restore(ctx, backup, path, sqlite.RestoreOptions{Expect: hash}); err != nil {
		log.Fatal(err)
	}
	restored, err := sqlite.Open(ctx, path, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer restored.Close()
	v, err := restored.Get(ctx, "greeting")
	fmt.Println(v.Number(), v.Text(), err)
	fmt.Println("another store:", restored.ID() != store.ID())
	// Output:
	// 1.0.0 Hello. <nil>
	// another store: true
}
