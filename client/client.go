package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/stet-dev/stet"
)

// Options change how a client works. The zero value is good for a server that
// needs no key.
type Options struct {
	// Key is sent with every request, as "Authorization: Bearer KEY".
	Key string

	// Timeout bounds one attempt of a call, for a server that takes a request
	// and never answers: 30 s if 0, not bounded if negative. What is long by its
	// nature (a backup, an export, a verification, a stream of changes) is bounded
	// by the caller alone.
	Timeout time.Duration

	// Attempts is how often one call is sent at most: 8 if 0, which takes some
	// three seconds, the time in which a server starts again.
	Attempts int

	// FirstWait is about how long is waited before a call is sent again: 50 ms if
	// 0, in which a server that is busy gets some work done. It doubles each time,
	// up to two seconds or FirstWait, whichever is longer.
	FirstWait time.Duration

	// RetryBudget is how many repetitions the calls of this client may make
	// beyond one for every five calls that succeed: 100 if 0. When they are used up,
	// what fails is not sent again.
	RetryBudget int

	// MaxAnswer is the most bytes of an answer that is read into memory: 64 MiB
	// if 0, which holds every page, and every commit of 8 MiB of texts.
	MaxAnswer int64

	// Conns is how many connections are kept open for reuse: 100 if 0. It
	// should be at least the number of goroutines that use the client at once.
	Conns int

	// TLS is for https: the roots to trust, a certificate to show.
	TLS *tls.Config

	// Transport replaces the client's own, with Conns and TLS. An attempt that
	// fails in one that is not a *http.Transport counts as sent, unless it says
	// that it could not dial.
	Transport http.RoundTripper

	// NewID makes the id of a commit that was given none: a UUID of version 7
	// if nil.
	NewID func() string

	// Rand spreads the repetitions: it returns numbers in [0, 1), and may be
	// called by many goroutines at once. It is math/rand/v2's Float64 if nil.
	Rand func() float64
}

// A backend implements stet.Backend. Files are about one noun: request.go sends
// one attempt, retry.go repeats it, error.go understands what went wrong.
type backend struct {
	opts Options
	base string // scheme, host and prefix, without a slash at the end
	name string // the address as it was given, for errors
	http *http.Client
	// traced says that the transport tells when it has a connection.
	traced bool

	budget budget
	known  atomic.Pointer[storeJSON] // what the server said last of its store
	seen   atomic.Uint64             // the newest revision that an answer was of

	// Reads end when the client is closed, writes when it has waited for them
	// long enough.
	reads, writes         context.Context
	endReads, abandonment context.CancelFunc

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // calls under way; added to under mu, while not closed
}

var _ stet.Backend = (*backend)(nil)

// Open returns the store at a server: http://HOST:PORT, https://HOST, with a path
// where the server is behind one, or unix:PATH for HTTP over a Unix socket. It
// asks the server for its store once, and fails as unavailable if there is no
// answer, as unauthorized if the key is not valid, and as invalid if the address is
// not one or what answers there is not stet. Options may be nil.
func Open(ctx context.Context, url string, opts *Options) (*stet.Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	b, err := dial(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return stet.New(b), nil
}

// dial is Open for what needs the backend.
func dial(ctx context.Context, url string, o Options) (*backend, error) {
	a, err := parseAddress(url)
	if err != nil {
		return nil, err
	}
	if err := checkKey(o.Key); err != nil {
		return nil, err
	}
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Attempts = cmp.Or(o.Attempts, 8)
	o.FirstWait = cmp.Or(o.FirstWait, firstWait)
	o.RetryBudget = cmp.Or(o.RetryBudget, 100)
	o.MaxAnswer = cmp.Or(o.MaxAnswer, 64<<20)
	o.Conns = cmp.Or(o.Conns, 100)
	if o.NewID == nil {
		o.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Transport == nil {
		o.Transport = a.transport(&o)
	}
	b := &backend{opts: o, base: a.base, name: url}
	_, b.traced = o.Transport.(*http.Transport)
	b.http = &http.Client{
		Transport: o.Transport,
		// The key is for this server, and a redirected commit would not be one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	b.budget.fill(float64(o.RetryBudget))
	b.reads, b.endReads = context.WithCancel(context.Background())
	b.writes, b.abandonment = context.WithCancel(context.Background())
	if _, err := b.ask(ctx, openAttempts); err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

// openAttempts is how often Open asks: a person who has mistyped the address
// should not wait for the answer.
const openAttempts = 3

// transport returns a transport that keeps enough connections: the standard
// library's keeps two a host, and closes and dials the others again and again.
func (a *address) transport(o *Options) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       o.TLS,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          o.Conns,
		MaxIdleConnsPerHost:   o.Conns,
		IdleConnTimeout:       90 * time.Second, // below the two minutes after which servers and balancers hang up
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	if a.socket != "" {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", a.socket)
		}
	}
	return t
}

// begin counts a call, which end ends; it refuses one after Close.
func (b *backend) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed()
	}
	b.work.Add(1)
	return nil
}

func (b *backend) end() { b.work.Done() }

// closeWait is how long Close waits for commits under way: longer than any server
// takes that answers at all.
const closeWait = 10 * time.Second

// Close implements stet.Backend.
func (b *backend) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.endReads()
	late := time.AfterFunc(closeWait, b.abandonment)
	b.work.Wait()
	late.Stop()
	b.abandonment()
	b.http.CloseIdleConnections()
	return nil
}

func errClosed() error {
	return stet.Errorf(stet.CodeUnavailable, "the store is closed. Nothing changed. Open it again.")
}
