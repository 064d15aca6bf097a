package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/memory"
)

// exampleServer serves a store of its own at a loopback address, as stet serve does.
func exampleServer() (url string, stop func()) {
	store, err := memory.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	api := httpapi.New(store, nil)
	server := httptest.NewServer(api)
	return server.URL, func() {
		_ = api.Close() // ends streams, with the place to go on at
		server.CloseClientConnections()
		server.Close()
		_ = store.Close()
	}
}

func ExampleOpen() {
	ctx := context.Background()
	url, stop := exampleServer() // or: stet serve
	defer stop()

	store, err := client.Open(ctx, url, nil) // Key: os.Getenv("STET_KEY")
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	commit := stet.Commit{ID: "from-the-build-of-monday", Ops: []stet.Op{
		{Save: &stet.Draft{PromptID: "greeting", Text: "Hello {{name}}.", Labels: []string{"production"}}},
	}}
	for range 2 { // after a time-out, say
		done, err := store.Commit(ctx, commit)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(done.Results[0].Version, "replayed:", done.Replayed)
	}
	v, err := store.Get(ctx, "greeting@production")
	fmt.Println(v.Number(), v.Text(), err)
	_, err = store.Get(ctx, "greeting@prod")
	fmt.Println(err)
	// Output:
	// 1.0.0 replayed: false
	// 1.0.0 replayed: true
	// 1.0.0 Hello {{name}}. <nil>
	// not_found: greeting has no label "prod". Labels: production → 1.0.0. Did you mean production?
}

// What is read often comes from memory, also while the server is away.
func ExampleOpenCached() {
	ctx := context.Background()
	url, stop := exampleServer()

	prompts, err := client.OpenCached(ctx, url, &client.CacheOptions{
		Options:  client.Options{Attempts: 2}, // do not try for long when the server is away
		Prefixes: []string{"support/"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer prompts.Close()
	if err := prompts.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	draft := stet.Draft{PromptID: "support/reply", Text: "Answer {{ticket}}.", Labels: []string{"production"}}
	if _, err := prompts.Save(ctx, draft); err != nil {
		log.Fatal(err)
	}
	v, err := prompts.Get(ctx, "support/reply@production") // one's own write is seen at once
	fmt.Println(v.Text(), err)

	stop()
	v, err = prompts.Get(ctx, "support/reply@production")
	fmt.Println(v.Text(), err)
	_, err = prompts.Get(ctx, "sales/pitch") // not kept, so the server is asked
	fmt.Println(stet.CodeOf(err))
	fmt.Println("from memory:", prompts.State().Fresh)
	// Output:
	// Answer {{ticket}}. <nil>
	// Answer {{ticket}}. <nil>
	// unavailable
	// from memory: true
}
