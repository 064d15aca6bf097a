package client

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/stet-dev/stet"
)

// infoJSON is what a server says about its store.
type infoJSON struct {
	StoreID  string    `json:"store_id"`
	Engine   string    `json:"engine"` // the server's
	Epoch    uint64    `json:"epoch"`
	Cleared  uint64    `json:"cleared"`
	Revision uint64    `json:"revision"`
	Hash     stet.Hash `json:"hash"`
	Queued   int       `json:"queued"`
	Version  string    `json:"version"` // of the server
}

// infoWait bounds a request for a method without an error. If there is no answer in
// time, the method returns what was known last.
const infoWait = 3 * time.Second

// fetchInfo asks the server about its store.
func (b *backend) fetchInfo(ctx context.Context, attempts int) (*infoJSON, error) {
	s := new(infoJSON)
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
	for { // do not replace a newer answer
		old := b.info.Load()
		if old != nil && old.StoreID == s.StoreID && old.Revision > s.Revision || b.info.CompareAndSwap(old, s) {
			return s, nil
		}
	}
}

// latestInfo returns what the server says about its store, or what it said last and false.
func (b *backend) latestInfo() (s *infoJSON, fresh bool) {
	ctx, cancel := context.WithTimeout(context.Background(), infoWait)
	defer cancel()
	if s, err := b.fetchInfo(ctx, 0); err == nil {
		return s, true
	}
	return b.info.Load(), false
}

// Writing implements stet.Backend. It never ends: /readyz of the server tells.
func (b *backend) Writing() context.Context { return context.Background() }

// Stats implements stet.Backend. It is empty: the counters are at the server.
func (b *backend) Stats() stet.Stats { return stet.Stats{} }

// Info implements stet.Backend. It has the id that the server's store had when it was
// last asked; Open asks.
func (b *backend) Info() stet.Info {
	return stet.Info{StoreID: b.info.Load().StoreID, Engine: "http"}
}

// Tail implements stet.Backend. It asks the server. If there is no answer within three
// seconds, it returns the newest revision that it has seen, with its hash if known.
func (b *backend) Tail() (revision uint64, hash stet.Hash) {
	s, fresh := b.latestInfo()
	if seen := b.newestSeen.Load(); !fresh && seen > s.Revision {
		return seen, hash
	}
	return s.Revision, s.Hash
}

// Epoch implements stet.Backend, as Tail does.
func (b *backend) Epoch() (epoch, since uint64) {
	s, _ := b.latestInfo()
	return s.Epoch, s.Cleared
}

// Queued implements stet.Backend: how many commits wait at the server, as Tail does.
func (b *backend) Queued() int {
	s, _ := b.latestInfo()
	return s.Queued
}
