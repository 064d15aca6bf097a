package stet_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stet-dev/stet"
)

// A clear is one commit: nobody sees half of the store gone. Numbers begin again;
// the log and its revisions go on, so that nobody takes the new 1.0.0 for the old.
func ExampleStore_Clear() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	save(store, "farewell", "Goodbye.")

	if err := store.Clear(ctx, stet.By{Author: "ana", Message: "a new product"}); err != nil {
		log.Fatal(err)
	}
	_, err := store.Get(ctx, "greeting")
	fmt.Println(stet.CodeOf(err))
	again := save(store, "greeting", "Hello again.")
	fmt.Println(again.Number(), "at revision", again.Revision())
	tail, err := store.Tail(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("epoch", tail.Epoch, "since revision", tail.Cleared)
	// Output:
	// not_found
	// 1.0.0 at revision 4
	// epoch 2 since revision 3
}
