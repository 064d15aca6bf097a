package client_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
)

// A pipe is a network without a socket, so that a server and its client can be in
// one bubble of testing/synctest, in which waiting takes no time. Both are the
// real ones of net/http.
type pipe struct {
	conns chan net.Conn
	once  sync.Once
	over  chan struct{}
	down  sync.Mutex // held to be asked for refused
	off   bool
}

func newPipe() *pipe { return &pipe{conns: make(chan net.Conn), over: make(chan struct{})} }

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error   { p.once.Do(func() { close(p.over) }); return nil }
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// refuse makes it refuse connections, or not any more.
func (p *pipe) refuse(off bool) {
	p.down.Lock()
	defer p.down.Unlock()
	p.off = off
}

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.down.Lock()
	off := p.off
	p.down.Unlock()
	if off {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	}
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.over:
	case <-ctx.Done():
	}
	return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
}

// A fake answers /v1/store as a server does, and everything else with answer.
type fake struct {
	*pipe
	answer http.HandlerFunc
	store  *stet.Store
}

const fakeStore = `{"store_id":"s","engine":"memory","epoch":1,"cleared":0,"revision":7,"queued":0}`

// open starts a fake server and opens a client of it. It ends with the test.
func open(t *testing.T, o client.Options, answer http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{pipe: newPipe(), answer: answer}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Stet-As-Of", "7")
		if r.URL.Path == "/v1/store" {
			_, _ = w.Write([]byte(fakeStore))
			return
		}
		f.answer(w, r)
	})}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = srv.Serve(f.pipe)
	}()
	o.Transport = &http.Transport{DialContext: f.dial, MaxIdleConnsPerHost: 10}
	var err error
	if f.store, err = client.Open(t.Context(), "http://fake", &o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
		<-over
	})
	return f
}

// refusal is an error as stet's server answers it.
func refusal(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// hangUp cuts the connection.
func hangUp() { panic(http.ErrAbortHandler) }
