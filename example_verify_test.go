package stet_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stet-dev/stet"
)

// Verify recomputes everything. With a hash that was noted elsewhere it also finds
// a log that was cut off or written anew.
func ExampleStore_Verify() {
	ctx := context.Background()
	store := newStore()
	defer store.Close()
	save(store, "greeting", "Hello.")
	tail, err := store.Tail(ctx)
	if err != nil {
		log.Fatal(err)
	}
	noted := tail.Hash // keep it where the store is not
	save(store, "greeting", "Good morning.")

	report, err := store.Verify(ctx, stet.VerifyOptions{Expect: noted})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Versions, "versions up to revision", report.Revision, "and", len(report.Problems), "problems")

	report, err = store.Verify(ctx, stet.VerifyOptions{Expect: stet.Hash{1}}) // of another log
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(report.Problems), "problem")
	// Output:
	// 2 versions up to revision 2 and 0 problems
	// 1 problem
}
