package stet_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stet-dev/stet"
)

// Everything goes from one store into another, of whatever engine, with numbers,
// labels and their history. Sent again it changes nothing.
func ExampleStore_Replay() {
	ctx := context.Background()
	from, to := newStore(), newStore()
	defer from.Close()
	defer to.Close()
	save(from, "greeting", "Hello.")
	save(from, "greeting", "Good morning.")
	setLabel(from, "greeting", "production", "1.0.0", "ana")

	for range 2 { // the first copy was perhaps interrupted
		err := from.Export(ctx, func(c stet.Copy) error {
			done, err := to.Replay(ctx, c) // or many at once, which is faster
			if err == nil {
				fmt.Println("revision", done[0].Revision, "was there already:", done[0].Replayed)
			}
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	v, err := to.Get(ctx, "greeting@production")
	fmt.Println(v.Number(), v.Text(), err)
	// Output:
	// revision 1 was there already: false
	// revision 2 was there already: false
	// revision 3 was there already: false
	// revision 1 was there already: true
	// revision 2 was there already: true
	// revision 3 was there already: true
	// 1.0.0 Hello. <nil>
}
