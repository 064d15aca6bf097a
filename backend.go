package stet

import (
	"context"
	"iter"
)

// Info describes a store.
type Info struct {
	// StoreID identifies the store. It was chosen at random when the store was created;
	// a copy of the store has another.
	StoreID string
	// Engine is the kind of engine: "memory" or "sqlite", or "http" for the store of a server.
	Engine string
}

// A Backend carries out the operations of a [Store]. Package core implements it over
// an engine, and package client over HTTP. Each method has the contract of the Store's
// method of the same name. Every error is an [*Error]. A Backend is safe for concurrent
// use.
type Backend interface {
	// Info describes the store. It does not change while the store is open.
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

// A Monitor is a [Backend] that reports how the store works in this process. Package
// core's is one. Package client's is not: its server has /metrics and /readyz.
type Monitor interface {
	// Stats returns what the store has done since it was opened.
	Stats() Stats
	// Writing returns a context that is done when the store has stopped writing for good,
	// for example because a sync of its disk failed. Reads still work, but every commit is
	// refused until the store is opened again. The context's cause is an [*Error] that says
	// why. Close does not end the context.
	Writing() context.Context
}

// Backend returns the Backend that the store was made from, for packages that wrap it
// or ask for its [Monitor].
func (s *Store) Backend() Backend { return s.backend }
