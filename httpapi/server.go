package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// Options change how a server works. The zero value is good for the local machine.
type Options struct {
	// Keys says who may do what; without it everybody may do everything.
	Keys *keys.Ring
	// Hosts are the names of this server beside localhost. Without keys, a request for
	// another host is refused. CORS are the origins, such as https://example.com, whose
	// pages may use the server; see CheckOrigin.
	Hosts, CORS []string
	// MaxBody is the most bytes of a body, DefaultMaxBody if 0.
	MaxBody int64
	// Log gets what operators should know. Nothing is logged if nil.
	Log *slog.Logger
	// Version is the version of the program, for /v1/store.
	Version string
	// Limits bound what requests may take.
	Limits Limits
	// Metrics are further metrics that /metrics shows; none if nil.
	Metrics prometheus.Collector

	// The rest is for tests: the clock, and where a backup is made before it is sent.
	now     func() time.Time
	tempDir string
}

// A Server answers HTTP requests from a store. It is safe for concurrent use. The store
// belongs to its owner, who closes it after the server.
type Server struct {
	store   *stet.Store
	monitor stet.Monitor // of store
	o       Options
	handler http.Handler
	ids     requestIDs
	tagBase string // the beginning of every ETag: a quote and the store's id

	endpoints []*endpoint // of every route
	nowhere   *endpoint   // for requests that match no route

	limiter         *limiter
	rates, attempts *rates // of keys, and of addresses without a valid key
	noRate          bool   // the rate of requests without a key is not limited
	metrics         *metrics
	streams         *streams // of changes

	commits commitCache

	stopWatching func() bool // for the log message when the store stops writing

	stopping context.Context // done by Drain
	drain    context.CancelFunc

	keyless *access // of requests without a key, while there are no keys
}

// New returns a server of a store. Options may be nil.
func New(store *stet.Store, opts *Options) *Server {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.tempDir == "" {
		o.tempDir = os.TempDir()
	}
	s := &Server{store: store, monitor: monitorOf(store), o: o, ids: newRequestIDs(), keyless: everything}
	s.stopping, s.drain = context.WithCancel(context.Background())
	if o.Keys != nil {
		s.keyless = &access{open: o.Keys.OpenLife()}
	}
	s.stopWatching = context.AfterFunc(s.monitor.Writing(), func() {
		o.Log.Error("the store has stopped writing; reads go on", "error", context.Cause(s.monitor.Writing()))
	})
	s.tagBase = `"` + store.ID() + "."
	s.streams = newStreams(store)
	s.setLimits()
	s.endpoints = s.newEndpoints()
	s.nowhere = &endpoint{route: nowhere, handler: s.guard(nowhere, s.origins(http.HandlerFunc(s.noRoute)))}
	s.handler = s.identify(http.HandlerFunc(s.dispatch))
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain prepares the server to stop: /readyz fails, streams end with the position to resume
// at, and requests that wait for a revision fail as unavailable. Other requests are still
// answered. Drain may be called more than once.
func (s *Server) Drain() { s.drain() }

// Close drains the server. It does not close the store. The caller shuts the
// http.Server down between the two.
func (s *Server) Close() error {
	s.Drain()
	s.stopWatching()
	s.streams.close()
	return nil
}
