package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/internal/conns"
)

// serve answers requests at an address, in the background.
func (s *serving) serve(server *http.Server, l *conns.Listener, config *tls.Config) {
	server.ConnState = l.State
	if server.ConnContext == nil {
		server.ConnContext = conns.Context
	}
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug) // clients that do not speak HTTP
	s.servers = append(s.servers, server)
	run := func() error { return server.Serve(l) }
	if config != nil {
		server.TLSConfig = config
		run = func() error { return server.ServeTLS(l, "", "") }
	}
	go func() {
		if err := run(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- stet.WrapError(err, stet.CodeUnavailable, "the server can no longer listen on %s: %v. Start it again.", l.Addr(), err)
		}
	}()
}

// servePrivate answers requests on the private socket.
func (s *serving) servePrivate(server *http.Server, l *conns.Listener) {
	server.ConnContext = httpapi.Private
	s.serve(server, l, nil)
}

// wait returns when the server was told to stop, or cannot go on, and has finished the
// requests that it accepted. A request that takes longer than the grace is cut off.
func (s *serving) wait(ctx context.Context) error {
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-s.failed:
	}
	s.end = time.Now().Add(s.grace)
	s.log.Info("stopping", "grace", s.grace)
	s.api.Drain()
	stop, cancel := context.WithDeadline(context.Background(), s.end)
	defer cancel()
	late := make(chan bool, len(s.servers))
	for _, server := range s.servers {
		go func() {
			err := server.Shutdown(stop)
			if err != nil {
				_ = server.Close()
			}
			late <- err != nil
		}()
	}
	cut := false
	for range s.servers {
		cut = <-late || cut
	}
	if cut {
		s.log.Warn("requests were cut off: they took longer than the grace", "grace", s.grace)
	}
	_ = s.api.Close()
	return failed
}

// closeTime is how long the store may take to close, beyond what is left of the grace. It
// writes a checkpoint, which saves reading the log at the next start.
const closeTime = 5 * time.Second

// close closes the store.
func (s *serving) close(store *stet.Store) error {
	done := make(chan error, 1)
	go func() { done <- store.Close() }()
	t := time.NewTimer(time.Until(s.end) + closeTime)
	defer t.Stop()
	select {
	case err := <-done:
		s.log.Info("stopped")
		return err
	case <-t.C:
		return stet.Errorf(stet.CodeInternal, "the store did not close in time. Everything acknowledged is in it; the next opening recovers it.")
	}
}
