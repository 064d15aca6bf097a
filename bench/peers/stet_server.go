package peers

// Beside stet.go, this file is what knows stet's API: its server and its client.

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/sqlite"
)

// serveStet is `stet serve` with nothing but --store: SQLite, durable, the limits
// and the metrics, the file of the keys looked for, and a line of the log for each
// write. No key has been made, so there is no limit of the rate; that is how it is,
// not a setting, for whoever uses it without keys.
func serveStet(dir string) (address string, stop func() error, err error) {
	file := filepath.Join(dir, "stet.db")
	s, err := sqlite.Open(context.Background(), file, nil)
	if err != nil {
		return "", nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	ring, err := keys.Open(file+".keys", &keys.Options{Log: log})
	if err != nil {
		return "", nil, errors.Join(err, s.Close())
	}
	api := httpapi.New(s, &httpapi.Options{Log: log, Keys: ring})
	server := httpapi.NewServer(api)
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	address, end, err := listenAndServe(server)
	if err != nil {
		return "", nil, errors.Join(err, s.Close())
	}
	return address, func() error {
		api.Drain()
		err := errors.Join(end(), api.Close(), s.Close())
		ring.Close()
		return err
	}, nil
}

// openClient opens the store at a server for so many goroutines.
func openClient(ctx context.Context, address string, conns int) (store, error) {
	s, err := client.Open(ctx, "http://"+address, &client.Options{Conns: conns})
	return store{s}, err
}

// openCache is openClient with a cache of every prompt in front, which has them all.
func openCache(ctx context.Context, address string, refs []string) (store, error) {
	cache, err := client.OpenCached(ctx, "http://"+address, &client.CacheOptions{Options: client.Options{Conns: 1}})
	if err != nil {
		return store{}, err
	}
	s := store{cache.Store}
	if err = cache.Ready(ctx); err == nil {
		err = s.get(ctx, refs, 0, len(refs)) // each is kept once it was asked for
	}
	if err != nil {
		return s, errors.Join(err, s.close())
	}
	return s, nil
}

// saveText saves a version of which nothing but the text is said, as a request
// with that body does: the store finds the number.
func (s store) saveText(ctx context.Context, id, text string) error {
	_, err := s.s.Save(ctx, stet.Draft{PromptID: id, Text: text})
	return err
}
