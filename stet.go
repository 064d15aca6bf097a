package stet

import (
	"context"
	"iter"
)

// A Store keeps prompts. It is safe for concurrent use; each operation takes effect
// at one instant between its call and its return. Reads never wait for writers.
//
// Every error is an [*Error]. Unless its code is unknown, a failed call changed
// nothing.
//
// A context bounds how long a call may wait. A read that is answered from memory may
// succeed although its context is done.
type Store struct{ backend Backend }

// New returns a store whose operations b carries out. It is for packages that
// provide a Backend; programs call the Open of an engine or of package client.
func New(b Backend) *Store { return &Store{backend: b} }

// ID returns the store's id, which was chosen at random when the store was created. A
// copy of the store has another id.
func (s *Store) ID() string { return s.backend.Info().StoreID }

// Engine returns the kind of engine: "memory" or "sqlite", or "http" for the store of
// a server.
func (s *Store) Engine() string { return s.backend.Info().Engine }

// A Tail is the end of a store's log, at one instant.
type Tail struct {
	// Revision is the newest revision that reads of this store see, 0 if the log is empty.
	Revision uint64
	// Hash is the hash of that commit. Record it elsewhere: Verify, given the hash, finds
	// out whether the log still has the commit and all before it.
	Hash Hash
	// Epoch is the number of the current epoch: 1 at first, and one more after every
	// clear. Cleared is the revision of the clear that began it, 0 for the first epoch.
	Epoch, Cleared uint64
}

// Tail returns the end of the log. It fails with unavailable if the store is on a
// server that does not answer.
func (s *Store) Tail(ctx context.Context) (Tail, error) { return s.backend.Tail(ctx) }

// Close waits for the commits under way and releases the store. Later calls fail with
// unavailable.
func (s *Store) Close() error { return s.backend.Close() }

// Verify recomputes every hash and digest of the store and compares them with those
// that are stored. What it finds is in the [Report]; an error means that it could not
// check the store.
func (s *Store) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	return s.backend.Verify(ctx, o)
}

// Backup creates a file with the state of the store at some instant of the call. It
// has every commit that was acknowledged before the call. Backup returns the revision
// and the hash of the last commit in the file: record them elsewhere, for Verify. When
// it returns, the file is durable and was verified. Commits and reads go on meanwhile.
//
// Backup fails with invalid if the engine keeps no files. To make a store from a
// backup see the engine's Restore.
func (s *Store) Backup(ctx context.Context, path string, o BackupOptions) (revision uint64, hash Hash, err error) {
	return s.backend.Backup(ctx, path, o)
}

// Export calls yield for every change since the store was last cleared, in order, up
// to the newest at the time of the call. It stops at an error of yield and returns it.
// Replaying the changes into an empty store makes a store with the same prompts,
// numbers, ordinals, digests, labels and label histories.
func (s *Store) Export(ctx context.Context, yield func(Copy) error) error {
	return s.backend.Export(ctx, yield)
}

// Replay adds changes of another store, as Export yields them, in order. Changes that
// are given together share a sync. A change that the store has already is not added
// again; one that does not fit the store's state is a conflict.
//
// Replay stops at the first change that it cannot add. It then returns the results of
// the changes before that one, which stay in the store, and the error of that one.
func (s *Store) Replay(ctx context.Context, copies ...Copy) ([]Done, error) {
	return s.backend.Replay(ctx, copies...)
}

// Changes yields every commit after the revision since, in order, none missing and
// none twice, and then waits for new ones and yields them. When ctx is done or the
// store is closed, it yields an error and ends.
//
// A slow loop does not delay writers.
func (s *Store) Changes(ctx context.Context, since uint64, o ChangesOptions) iter.Seq2[Change, error] {
	return s.backend.Changes(ctx, since, o)
}

// ChangesPage returns the commits after the revision since that exist, oldest first,
// without waiting for more. Next is the revision to continue after, "" if there are no
// more.
func (s *Store) ChangesPage(ctx context.Context, since uint64, o ChangesOptions) (Page[Change], error) {
	return s.backend.ChangesPage(ctx, since, o)
}
