package stet

import (
	"context"
	"iter"
)

// Info describes a store.
type Info struct {
	// StoreID names the store's content: made once, at random. A copy has its own.
	StoreID string
	// Engine is the kind of engine: "memory", "sqlite"; "http" for the client of a server.
	Engine string
}

// A Backend carries out the operations of a [Store]: package core does over an
// engine, package client over HTTP. What a method means, and what it fails with, is
// written at the Store's method of the same name; every error is an [*Error], and
// every method may be called by many goroutines at once.
type Backend interface {
	// Info tells the id of the store's content and the kind of engine.
	Info() Info
	Tail(ctx context.Context) (Tail, error)

	// Get resolves a selector, "" for current.
	Get(ctx context.Context, id, selector string) (Version, error)
	GetMany(ctx context.Context, refs []string, o ReadOptions) ([]Version, uint64, error)
	Head(ctx context.Context, id string, o ReadOptions) (Head, error)
	List(ctx context.Context, id string, o ListOptions) (Page[Version], error)
	Prompts(ctx context.Context, o PromptsOptions) (Page[Head], error)
	History(ctx context.Context, id, label string, o HistoryOptions) (Page[Move], error)

	Commit(ctx context.Context, c Commit) (Done, error)

	Changes(ctx context.Context, since uint64, o ChangesOptions) iter.Seq2[Change, error]
	ChangesPage(ctx context.Context, since uint64, o ChangesOptions) (Page[Change], error)

	Export(ctx context.Context, yield func(Copy) error) error
	Replay(ctx context.Context, copies ...Copy) ([]Done, error)
	Verify(ctx context.Context, o VerifyOptions) (Report, error)
	Backup(ctx context.Context, path string, o BackupOptions) (revision uint64, hash Hash, err error)

	Close() error
}

// A Monitor is what the [Backend] of a store that works in this process is, too, for
// whoever runs it: package core's is one. The client of a server is none; the server
// has /metrics and /readyz.
type Monitor interface {
	// Stats returns what the store has done since it was opened.
	Stats() Stats
	// Writing returns a context that ends when the store has stopped writing for good, as
	// after a failed sync of its disk: reads go on, and every commit is refused until it
	// is opened again. The context's cause is an [*Error] that says why. It does not end
	// with Close.
	Writing() context.Context
}

// Backend returns what carries out the store's operations, for packages that put
// something before it.
func (s *Store) Backend() Backend { return s.backend }
