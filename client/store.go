package client

import (
	"context"
	"errors"
	"net/http"

	"github.com/stet-dev/stet"
)

// infoJSON is what a server says about its store.
type infoJSON struct {
	StoreID  string    `json:"store_id"`
	Epoch    uint64    `json:"epoch"`
	Cleared  uint64    `json:"cleared"`
	Revision uint64    `json:"revision"`
	Hash     stet.Hash `json:"hash"`
}

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

// Info implements stet.Backend. It returns the id that the server's store had when the
// client last asked for it, as Open does.
func (b *backend) Info() stet.Info {
	return stet.Info{StoreID: b.info.Load().StoreID, Engine: "http"}
}

// Tail implements stet.Backend: it asks the server.
func (b *backend) Tail(ctx context.Context) (stet.Tail, error) {
	s, err := b.fetchInfo(ctx, 0)
	if err != nil {
		return stet.Tail{}, err
	}
	return stet.Tail{Revision: s.Revision, Hash: s.Hash, Epoch: s.Epoch, Cleared: s.Cleared}, nil
}
