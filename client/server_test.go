package client_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
)

// fewer is the part of the usual number of random histories that is tried here,
// unless -rounds says another: a call takes ten times as long as in memory, and
// what is tried is the way to the core and back, not the core.
const fewer = "0.25"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rounds" })
	if !given {
		if err := flag.Set("rounds", fewer); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// A server is a real one on a loopback socket.
type server struct {
	url   string
	http  *http.Server
	api   *httpapi.Server
	store *stet.Store
	over  chan struct{}
}

// serve serves a store, which it takes over.
func serve(s *stet.Store) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	api := httpapi.New(s, &httpapi.Options{Log: quiet})
	srv := &server{
		url: "http://" + l.Addr().String(), api: api, store: s, over: make(chan struct{}),
		http: &http.Server{Handler: api, ErrorLog: slog.NewLogLogger(quiet.Handler(), slog.LevelError)},
	}
	go func() {
		defer close(srv.over)
		_ = srv.http.Serve(l) // until close
	}()
	return srv, nil
}

func (s *server) close() error {
	err := s.http.Close()
	<-s.over
	return errors.Join(err, s.api.Close(), s.store.Close())
}

// remote is a client with its server, which it closes after itself.
type remote struct {
	stet.Backend
	close func() error // may be called again
}

func (r *remote) Close() error {
	return errors.Join(r.Backend.Close(), r.close())
}

// over returns a store that is a client of a new server of s.
func over(ctx context.Context, s *stet.Store, o client.Options) (*stet.Store, error) {
	srv, err := serve(s)
	if err != nil {
		return nil, err
	}
	b, err := client.Dial(ctx, srv.url, o)
	if err != nil {
		return nil, errors.Join(err, srv.close())
	}
	return stet.New(&remote{b, sync.OnceValue(srv.close)}), nil
}
