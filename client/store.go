package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/stet-dev/stet"
)

// storeJSON is what a server says of its store.
type storeJSON struct {
	StoreID  string    `json:"store_id"`
	Engine   string    `json:"engine"` // the server's
	Epoch    uint64    `json:"epoch"`
	Cleared  uint64    `json:"cleared"`
	Revision uint64    `json:"revision"`
	Hash     stet.Hash `json:"hash"`
	Queued   int       `json:"queued"`
	Version  string    `json:"version"` // of the server
}

// infoWait bounds a question whose answer has no place for an error: what was
// known last is told then.
const infoWait = 3 * time.Second

// ask asks the server for its store.
func (b *backend) ask(ctx context.Context, attempts int) (*storeJSON, error) {
	s := new(storeJSON)
	r := &request{method: http.MethodGet, path: segments("store"), attempts: attempts}
	err := b.do(ctx, r, func(h http.Header, body []byte) error {
		if err := into(s)(h, body); err != nil {
			return err
		}
		if s.StoreID == "" {
			return errors.New("it does not say which store it is")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for { // an answer that was overtaken on the way is not the last
		old := b.known.Load()
		if old != nil && old.StoreID == s.StoreID && old.Revision > s.Revision || b.known.CompareAndSwap(old, s) {
			return s, nil
		}
	}
}

// now returns what the server says of its store, or what it said last and false.
func (b *backend) now() (s *storeJSON, fresh bool) {
	ctx, cancel := context.WithTimeout(context.Background(), infoWait)
	defer cancel()
	if s, err := b.ask(ctx, 0); err == nil {
		return s, true
	}
	return b.known.Load(), false
}

// Writing implements stet.Backend: the server's /readyz tells.
func (b *backend) Writing() context.Context { return context.Background() }

// Stats implements stet.Backend: the counters are the server's.
func (b *backend) Stats() stet.Stats { return stet.Stats{} }

// Info implements stet.Backend. It tells the id that the server's store had when
// it was last asked, which Open did.
func (b *backend) Info() stet.Info {
	return stet.Info{StoreID: b.known.Load().StoreID, Engine: "http"}
}

// Tail implements stet.Backend. It asks the server; if there is no answer within
// three seconds, it returns the newest revision that it has seen, with the zero
// hash where it was not told of another.
func (b *backend) Tail() (revision uint64, hash stet.Hash) {
	s, fresh := b.now()
	if seen := b.seen.Load(); !fresh && seen > s.Revision {
		return seen, hash
	}
	return s.Revision, s.Hash
}

// Epoch implements stet.Backend, as Tail does.
func (b *backend) Epoch() (epoch, since uint64) {
	s, _ := b.now()
	return s.Epoch, s.Cleared
}

// Queued implements stet.Backend: how many commits wait at the server, as Tail does.
func (b *backend) Queued() int {
	s, _ := b.now()
	return s.Queued
}
