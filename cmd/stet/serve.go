package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/internal/conns"
	"github.com/stet-dev/stet/internal/term"
	"github.com/stet-dev/stet/open"
)

type serveCmd struct {
	Listen       string        `env:"STET_LISTEN" default:"127.0.0.1:7838" placeholder:"HOST:PORT" help:"Where to listen; port 0 takes any that is free (${default})."`
	Keys         string        `env:"STET_KEYS" placeholder:"FILE" help:"The file of the keys, as stet key makes it (beside the store, if there is one: FILE.keys)."`
	TLSCert      string        `name:"tls-cert" env:"STET_TLS_CERT" placeholder:"FILE" help:"The certificate and its chain, as PEM. It may be renewed while the server runs."`
	TLSKey       string        `name:"tls-key" env:"STET_TLS_KEY" placeholder:"FILE" help:"Its private key, as PEM."`
	InsecureHTTP bool          `name:"insecure-http" env:"STET_INSECURE_HTTP" help:"Serve other machines over plain HTTP, because a proxy before the server encrypts."`
	Host         []string      `env:"STET_HOST" placeholder:"NAME" help:"A name of this server, beside those of this machine. May be given more than once."`
	CORS         []string      `name:"cors" env:"STET_CORS" placeholder:"ORIGIN" help:"An origin, such as https://app.example.com, whose web pages may use the server. May be given more than once."`
	MaxBody      *int64        `env:"STET_MAX_BODY" placeholder:"BYTES" help:"The maximum size of a request's body (${maxbody})."`
	MaxRequests  *int          `env:"STET_MAX_REQUESTS" placeholder:"N" help:"The maximum number of requests at once (${inhand}); -1 for no limit."`
	MaxStreams   *int          `env:"STET_MAX_STREAMS" placeholder:"N" help:"The maximum number of streams of changes at once (${streams}); -1 for no limit."`
	MaxConns     *int          `name:"max-connections" env:"STET_MAX_CONNECTIONS" placeholder:"N" help:"The maximum number of connections at once, half of them from one address (${conns}, or what the system has files for)."`
	Rate         *float64      `env:"STET_RATE" placeholder:"N" help:"The maximum number of requests a second of one key (${rate}); without keys, of one address (no limit); -1 for no limit."`
	Log          string        `env:"STET_LOG" default:"text" enum:"text,json" placeholder:"FORM" help:"How the log is written, on standard error: text or json (${default})."`
	LogLevel     slog.Level    `env:"STET_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"What is logged: debug (reads, too), info (writes and refusals), warn or error (${default})."`
	Grace        time.Duration `env:"STET_GRACE" default:"10s" placeholder:"TIME" help:"How long requests under way may take when the server is told to stop (${default}); 0s to wait for none."`
	NoSocket     bool          `env:"STET_NO_SOCKET" help:"Do not listen on a private socket beside the SQLite file."`
}

func (*serveCmd) Help() string {
	return `Examples:

    stet serve                             # this machine only: http://127.0.0.1:7838
    stet serve --store sqlite:/var/lib/stet/stet.db --log json
    stet serve --listen :7838 --tls-cert cert.pem --tls-key key.pem --host prompts.example.com

Without keys it listens to this machine only. Elsewhere it makes a key for everything
if there is none, prints it once, and starts. Every flag can be an environment
variable: STET_LISTEN and so on.

While it serves an SQLite file, the other commands on that file go through it, by a
socket beside the file that only you can open.

Standard output is for a terminal, and empty elsewhere. The log is on standard error: its
line "ready" has the address, the store and a command to try, and then there is one line
per request, without ids, queries, headers and texts.

SIGTERM and Ctrl-C stop the server when the requests under way are finished; a second one
stops it at once. /healthz reports that it runs, /readyz that it can serve requests, and
/metrics has figures for Prometheus.`
}

func (c *serveCmd) Run(a *app) (err error) {
	start := time.Now()
	log := c.logger()
	if err := c.check(a); err != nil {
		return err
	}
	bounds, err := conns.Within(conns.Files(), given(c.MaxConns))
	if err != nil {
		return err
	}
	tlsConfig, err := c.tls(log)
	if err != nil {
		return err
	}
	raw, err := c.listen(a.ctx)
	if err != nil {
		return err
	}
	listener := conns.Listen(raw, bounds.Most, bounds.Each)
	defer listener.Close()
	file, err := c.keyFile(a, listener.Addr())
	if err != nil {
		return err
	}
	s, err := open.Store(a.ctx, a.flags.Store, &open.Options{Wait: lockWait, Waiting: a.waiting})
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, s.Close())
		}
	}()
	ring, err := c.ring(a, file, listener.Addr(), log)
	if err != nil {
		return err
	}
	if ring != nil {
		defer ring.Close()
	}
	api := httpapi.New(s, &httpapi.Options{
		MaxBody: given(c.MaxBody), Log: log, Version: programVersion(), Keys: ring, Hosts: c.Host, CORS: c.CORS,
		Limits: c.limits(), Metrics: listener,
	})
	private, err := c.private(a, log)
	if err != nil {
		return err
	}
	sv := &serving{api: api, log: log, grace: c.Grace, failed: make(chan error, 2)}
	sv.serve(httpapi.NewServer(api), listener, tlsConfig)
	if private != nil {
		sv.servePrivate(httpapi.NewServer(api), conns.Listen(private, bounds.Private, bounds.Private))
	}
	c.ready(a, s, listener.Addr(), tlsConfig != nil, ring != nil && !ring.Open(), time.Since(start), log)

	err = sv.wait(a.ctx)
	closed = true
	return errors.Join(err, sv.close(s))
}

// check refuses flags that make no sense before anything is opened.
func (c *serveCmd) check(a *app) error {
	for _, origin := range c.CORS {
		if err := httpapi.CheckOrigin(origin); err != nil {
			return err
		}
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return stet.Errorf(stet.CodeInvalid, "TLS needs both, the certificate and its key. Give --tls-cert and --tls-key.")
	case c.TLSCert != "" && c.InsecureHTTP:
		return stet.Errorf(stet.CodeInvalid, "both --tls-cert and --insecure-http were given. Give one.")
	case c.MaxBody != nil && *c.MaxBody < 1:
		return stet.Errorf(stet.CodeInvalid, "--max-body is %d. Give 1 or more.", *c.MaxBody)
	case c.MaxConns != nil && *c.MaxConns < 1:
		return stet.Errorf(stet.CodeInvalid, "--max-connections is %d. Give 1 or more.", *c.MaxConns)
	case c.Grace < 0:
		return stet.Errorf(stet.CodeInvalid, "--grace is %v. Give a time, 10s for example, or 0s to wait for nothing.", c.Grace)
	case isServer(a.flags.Store):
		return stet.Errorf(stet.CodeInvalid, "%s is a server itself. Serve the store that it serves, or use it directly.", redacted(a.flags.Store))
	}
	return errors.Join(bound("--rate", c.Rate), bound("--max-requests", c.MaxRequests), bound("--max-streams", c.MaxStreams))
}

// bound checks a flag that is a limit, or -1 for none. It refuses 0: nobody means a limit
// of nothing, and it would become the default.
func bound[T int | float64](flag string, n *T) error {
	if n == nil || *n == -1 || *n > 0 && !math.IsInf(float64(*n), 1) {
		return nil
	}
	return stet.Errorf(stet.CodeInvalid, "%s is %v. Give a number over 0, or -1 for no limit.", flag, *n)
}

// given returns the value of a flag, 0 if it was not given.
func given[T any](flag *T) (value T) {
	if flag != nil {
		value = *flag
	}
	return value
}

func (c *serveCmd) limits() httpapi.Limits {
	return httpapi.Limits{Rate: given(c.Rate), InHand: given(c.MaxRequests), Streams: given(c.MaxStreams)}
}

func (c *serveCmd) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.Log == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// listen listens on the address, before the store is opened, so that an address in use is
// reported first.
func (c *serveCmd) listen(ctx context.Context) (net.Listener, error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, stet.Errorf(stet.CodeInvalid, "%q is not an address to listen on. Write 127.0.0.1:7838, [::1]:7838, or :7838 for every address of this machine.", c.Listen)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	var dns *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case inUse(err):
		return nil, stet.WrapError(err, stet.CodeUnavailable, "%s is in use by another program, perhaps another stet. Stop it, or listen elsewhere: --listen 127.0.0.1:0 takes any free port.", c.Listen)
	case errors.As(err, &dns):
		return nil, stet.WrapError(err, stet.CodeInvalid, "%q is not an address of this machine: %v. Give one of its own.", host, dns)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return nil, stet.WrapError(err, stet.CodeUnavailable, "%s cannot be listened on: %v. Give another address with --listen.", c.Listen, err)
}

// ready reports that requests are answered from now on, to a person and in the log.
func (c *serveCmd) ready(a *app, s *stet.Store, addr net.Addr, encrypted, keyed bool, took time.Duration, log *slog.Logger) {
	base := c.base(addr, encrypted)
	store := redacted(a.flags.Store)
	tail, _ := s.Tail(a.ctx) // a store in this process always answers
	curl := "curl " + base + "/v1/prompts"
	if keyed {
		curl = `curl -H "Authorization: Bearer $STET_KEY" ` + base + "/v1/prompts"
	}
	if a.out.TTY {
		_ = a.println(a.out.Paint(term.Bold, "stet") + " serves " + term.Line(store) + " at " + a.out.Paint(term.Green, base))
		_ = a.println("Try:  " + curl)
		_ = a.println("Stop: Ctrl-C")
		_ = a.out.Flush()
	}
	log.Info("ready", "address", base, "store", store, "store_id", s.ID(), "engine", s.Engine(), "revision", tail.Revision,
		"keys", keyed, "pid", os.Getpid(), "took", took, "try", curl)
}

// base returns the URL under which a person reaches the server.
func (c *serveCmd) base(addr net.Addr, encrypted bool) string {
	u := url.URL{Scheme: "http", Host: addr.String()}
	if encrypted {
		u.Scheme = "https"
	}
	t, ok := addr.(*net.TCPAddr)
	switch {
	case !ok:
	case len(c.Host) > 0 && !t.IP.IsLoopback():
		u.Host = net.JoinHostPort(c.Host[0], fmt.Sprint(t.Port))
	case t.IP.IsUnspecified():
		u.Host = net.JoinHostPort("localhost", fmt.Sprint(t.Port))
	}
	return u.String()
}

// A serving is a running server.
type serving struct {
	api     *httpapi.Server
	log     *slog.Logger
	grace   time.Duration
	servers []*http.Server
	failed  chan error
	end     time.Time // of the grace
}
