package stet

import (
	"context"
	"iter"
)

// A Store keeps prompts. Its methods may be called by any number of goroutines
// at once; each operation takes effect at one instant between its call and its
// return. Reads never wait for writers.
//
// Every error is an [*Error]. Unless its code is unknown, a failed call changed
// nothing.
//
// A context bounds how long a call may wait. A read that is answered from memory
// does not look at it.
type Store struct{ backend Backend }

// New returns the store that a backend is. Callers use the Open of an engine or of
// a client instead.
func New(b Backend) *Store { return &Store{backend: b} }

// ID names the store's content; a copy of it has another.
func (s *Store) ID() string { return s.backend.Info().StoreID }

// Engine is the kind of engine: "memory", "sqlite"; "http" for the client of a
// server.
func (s *Store) Engine() string { return s.backend.Info().Engine }

// A Tail is the end of a store's log, at one instant.
type Tail struct {
	// Revision is the newest that reads of this store see, 0 for none.
	Revision uint64
	// Hash is that of its commit. Noted elsewhere, it shows later, with Verify, whether
	// the log still has what it had.
	Hash Hash
	// Epoch is the number of the present epoch, which is 1 and grows with every clear,
	// and Cleared the revision of the clear that began it, 0 for the first.
	Epoch, Cleared uint64
}

// Tail returns the end of the log: how far the store has come. It fails as
// unavailable if a server cannot be asked.
func (s *Store) Tail(ctx context.Context) (Tail, error) { return s.backend.Tail(ctx) }

// Close finishes the commits that were accepted and releases the store. Calls
// that come later are refused as unavailable.
func (s *Store) Close() error { return s.backend.Close() }

// Verify recomputes every hash and digest of the store and compares what it
// finds with what the store says. See [Report].
func (s *Store) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	return s.backend.Verify(ctx, o)
}

// Backup makes a file that holds the store as it was at some instant of the call,
// with everything that was acknowledged before it, and returns the revision and
// the hash that its log ends with: note them elsewhere, for Verify. The file is
// durable and was checked when Backup returns. Commits and reads go on meanwhile.
//
// It is invalid for an engine that keeps no files. See the engine's Restore.
func (s *Store) Backup(ctx context.Context, path string, o BackupOptions) (revision uint64, hash Hash, err error) {
	return s.backend.Backup(ctx, path, o)
}

// Export calls yield for every change since the store was last cleared, in
// order, up to the newest at the time of the call. Replayed into an empty store,
// they make one with the same prompts, numbers, ordinals, digests, labels and
// label histories.
func (s *Store) Export(ctx context.Context, yield func(Copy) error) error {
	return s.backend.Export(ctx, yield)
}

// Replay takes over changes that Export gave, in order: as many at once as the engine
// takes, so that hundreds share a sync. One that is here already is not added again; one
// that does not fit what is here is a conflict.
//
// The first that cannot be taken over ends it. The error is about that one; what is
// returned with it is what became of those before, which are kept. None behind it is
// carried out.
func (s *Store) Replay(ctx context.Context, copies ...Copy) ([]Done, error) {
	return s.backend.Replay(ctx, copies...)
}

// Changes yields every commit after a revision, in order, none missing and none
// twice, and then those to come as they are published, until ctx is done, the
// store is closed or the loop is left. What ends it is yielded as an error.
//
// A loop that is slow costs writers nothing.
func (s *Store) Changes(ctx context.Context, since uint64, o ChangesOptions) iter.Seq2[Change, error] {
	return s.backend.Changes(ctx, since, o)
}

// ChangesPage returns the commits after a revision that there are, oldest first.
// Next is the revision to go on after.
func (s *Store) ChangesPage(ctx context.Context, since uint64, o ChangesOptions) (Page[Change], error) {
	return s.backend.ChangesPage(ctx, since, o)
}
