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
	store, _ := memory.Open() // or sqlite.Open(ctx, "prompts.db")
	defer store.Close()

	store.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "Sort this ticket: {{ticket}}"})
	store.SetLabel(ctx, stet.By{Author: "ana"}, stet.SetLabel{PromptID: "support/triage", Label: "production", Version: "1.0.0"})
	store.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "Sort this ticket by urgency: {{ticket}}"})

	v, err := store.Get(ctx, "support/triage@production")
	fmt.Println(v.Number(), v.Text(), err)
	v, err = store.Get(ctx, "support/triage@latest")
	fmt.Println(v.Number(), v.Text(), err)
}
