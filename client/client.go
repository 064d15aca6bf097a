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

	// Timeout bounds one attempt of a call, in case a server never answers: 30 s if
	// 0, no bound if negative. It does not bound what is long by nature: a backup,
	// an export, a verification, a stream of changes.
	Timeout time.Duration

	// Attempts is how often a call is sent at most: 8 if 0. That takes some three
	// seconds, in which a server can restart.
	Attempts int

	// FirstWait is about how long the client waits before the first retry: 50 ms if
	// 0. The wait doubles each time, up to two seconds or FirstWait, whichever is
	// longer.
	FirstWait time.Duration

	// RetryBudget is how many retries all calls of this client may make, beyond one
	// for every five calls that succeed: 100 if 0. When they are used up, calls that
	// fail are not retried.
	RetryBudget int

	// MaxAnswer bounds the bytes of an answer that is read into memory: 64 MiB if 0,
	// which holds every page, and every commit of 8 MiB of texts.
	MaxAnswer int64

	// Conns is how many connections are kept open for reuse: 100 if 0. It
	// should be at least the number of goroutines that use the client at once.
	Conns int

	// TLS is for https: the roots to trust, a certificate to show.
	TLS *tls.Config

	// Transport replaces the client's own; Conns and TLS are ignored then. A failed
	// attempt in a Transport that is not a *http.Transport counts as sent, unless the
	// error says that it could not dial.
	Transport http.RoundTripper

	// NewID makes the id of a commit that was given none: a UUID of version 7
	// if nil.
	NewID func() string

	// Rand makes the waits random. It returns numbers in [0, 1), and must be safe
	// for concurrent use. It is math/rand/v2's Float64 if nil.
	Rand func() float64
}

// A backend implements stet.Backend. request.go sends one attempt, retry.go repeats it,
// and error.go finds out what went wrong.
type backend struct {
	opts Options
	base string // scheme, host and prefix, without a slash at the end
	name string // the address as it was given, for errors
	// transport is Options.Transport.
	transport http.RoundTripper
	// authorization is the header that shows the key.
	authorization []string
	// traced says that the transport supports httptrace.
	traced bool

	budget budget
	info   atomic.Pointer[infoJSON] // what the server last said about its store

	// Close ends reads at once, and writes after closeWait.
	reads, writes       context.Context
	endReads, endWrites context.CancelFunc

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // calls under way; added under mu, while not closed
}

var _ stet.Backend = (*backend)(nil)

// Open returns the store at a server: http://HOST:PORT, https://HOST, either with a
// path if the server is behind one, or unix:PATH for HTTP over a Unix socket. It asks
// the server about its store. It fails as unavailable if there is no answer, as
// unauthorized if the key is not valid, and as invalid if url is not an address or what
// answers there is not stet. Options may be nil.
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

// dial is Open for callers that need the backend.
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
	b := &backend{opts: o, base: a.base, name: url, transport: o.Transport, authorization: []string{"Bearer " + o.Key}}
	_, b.traced = o.Transport.(*http.Transport)
	b.budget.fill(float64(o.RetryBudget))
	b.reads, b.endReads = context.WithCancel(context.Background())
	b.writes, b.endWrites = context.WithCancel(context.Background())
	if _, err := b.fetchInfo(ctx, openAttempts); err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

// openAttempts is how often Open asks. It is few, so that a mistyped address is
// reported soon.
const openAttempts = 3

// transport returns a transport that keeps enough idle connections: the standard
// library's default keeps two a host and closes the others.
func (a *address) transport(o *Options) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       o.TLS,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          o.Conns,
		MaxIdleConnsPerHost:   o.Conns,
		IdleConnTimeout:       90 * time.Second, // less than the two minutes after which many servers and balancers close
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

// beginCall counts a call, and refuses it after Close. The call ends with endCall.
func (b *backend) beginCall() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed()
	}
	b.work.Add(1)
	return nil
}

func (b *backend) endCall() { b.work.Done() }

// closeWait is how long Close waits for commits under way. A server that answers at
// all takes less.
const closeWait = 10 * time.Second

// Close implements stet.Backend.
func (b *backend) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.endReads()
	late := time.AfterFunc(closeWait, b.endWrites)
	b.work.Wait()
	late.Stop()
	b.endWrites()
	if t, ok := b.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return nil
}

func errClosed() error {
	return stet.Errorf(stet.CodeUnavailable, "the store is closed. Nothing changed. Open it again.")
}
