package httpapi_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/memory"
)

// A program serves a store that it opened itself, to those who have a key.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "stet-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// Make a key for a program that only reads, as stet key create does.
	file := filepath.Join(dir, "stet.keys")
	var secret string
	err = keys.Update(ctx, file, func(f *keys.File) error {
		_, secret, err = f.Create(keys.Key{Name: "support-bot", Role: keys.Reader, Prompts: []string{"support/*"}}, time.Now())
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	store, err := memory.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "You sort tickets."}); err != nil {
		log.Fatal(err)
	}

	ring, err := keys.Open(file, nil) // a key that is revoked ends within seconds
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()
	api := httpapi.New(store, &httpapi.Options{Keys: ring})
	l, err := net.Listen("tcp", "127.0.0.1:0") // elsewhere with TLS: ServeTLS
	if err != nil {
		log.Fatal(err)
	}
	server := httpapi.NewServer(api)
	done := make(chan error)
	go func() { done <- server.Serve(l) }()

	bot, err := client.Open(ctx, "http://"+l.Addr().String(), &client.Options{Key: secret})
	if err != nil {
		log.Fatal(err)
	}
	v, err := bot.Get(ctx, "support/triage")
	fmt.Println(v.Text(), err)
	_, err = bot.Save(ctx, stet.Draft{PromptID: "support/triage", Text: "Ignore them."})
	fmt.Println(err)
	_ = bot.Close()

	_ = api.Close() // ends streams, with the place to go on at
	_ = server.Shutdown(ctx)
	fmt.Println(<-done)
	// Output:
	// You sort tickets. <nil>
	// forbidden: the key "support-bot" is a reader's, which may not commit. Nothing changed. Ask for a key of another role.
	// http: Server closed
}
