// Command quickstart is the program that the README shows.
package main

import (
	"context"
	"fmt"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

func main() {
	ctx := context.Background()
	store, _ := memory.Open(nil) // or sqlite.Open, or client.Open for a server
	defer store.Close()

	store.Save(ctx, stet.Draft{PromptID: "support/sort", Text: "Sort: {{ticket}}"})
	store.SetLabel(ctx, stet.By{}, stet.SetLabel{PromptID: "support/sort", Label: "production", Version: "1.0.0"})
	v, err := store.Get(ctx, "support/sort@production")

	fmt.Println(v.Text(), err)
}
