package stet

import (
	"context"
	"iter"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/number"
	"github.com/stet-dev/stet/prompt"
)

// The domain's types. They live in small packages that core and the engines can
// import; callers use them by these names.
type (
	Version = prompt.Version
	Number  = number.Number
	Content = content.Content
	Digest  = content.Digest
	Hash    = prompt.Hash

	Draft       = prompt.Draft
	Commit      = prompt.Commit
	Op          = prompt.Op
	Delete      = prompt.Delete
	SetLabel    = prompt.SetLabel
	RemoveLabel = prompt.RemoveLabel
	Rollback    = prompt.Rollback
	Clear       = prompt.Clear

	Saved  = prompt.Saved
	Done   = prompt.Done
	Result = prompt.Result

	Head        = prompt.Head
	Move        = prompt.Move
	Change      = prompt.Change
	ChangeOp    = prompt.ChangeOp
	LabelChange = prompt.LabelChange

	ReadOptions    = prompt.ReadOptions
	Point          = prompt.Point
	ListOptions    = prompt.ListOptions
	PromptsOptions = prompt.PromptsOptions
	HistoryOptions = prompt.HistoryOptions
	ChangesOptions = prompt.ChangesOptions

	// Values fill a template; Rendered is the result.
	Values   = content.Values
	Rendered = content.Rendered

	// Options change how a store works; the zero value is good.
	Options = core.Options
	// Copy is a change of another store, for Replay.
	Copy = core.Copy
	// VerifyOptions choose what Verify checks; Report is what it found.
	VerifyOptions = core.VerifyOptions
	Report        = core.Report
	// BackupOptions are how a backup is made.
	BackupOptions = driver.BackupOptions

	// Error is the one error type; Code tells a program what happened.
	Error = fault.Error
	Code  = fault.Code
)

// A Page is a part of a list, all of it of one revision.
type Page[T any] = prompt.Page[T]

// The codes of errors. See [fault.Code].
const (
	CodeInvalid      = fault.Invalid
	CodeUnauthorized = fault.Unauthorized
	CodeForbidden    = fault.Forbidden
	CodeNotFound     = fault.NotFound
	CodeConflict     = fault.Conflict
	CodeTooLarge     = fault.TooLarge
	CodeRateLimited  = fault.RateLimited
	CodeInternal     = fault.Internal
	CodeUnavailable  = fault.Unavailable
	CodeUnknown      = fault.Unknown
)

// CodeOf returns the code of an error, "" for nil.
func CodeOf(err error) Code { return fault.CodeOf(err) }

// ParseNumber reads a version number: SemVer 2.0.0 without build metadata.
func ParseNumber(s string) (Number, error) { return number.Parse(s) }

// A Store keeps prompts. Its methods may be called by any number of goroutines
// at once; each operation takes effect at one instant between its call and its
// return. Reads never wait for writers.
//
// Every error is an [*Error]. Unless its code is unknown, a failed call changed
// nothing.
//
// A context bounds how long a call may wait. A read that is answered from memory
// does not look at it.
type Store struct {
	backend Backend
	// core is the backend if that is a core: Get is called at every request of an
	// application, and through an interface it takes a tenth longer.
	core *core.Core
}

// New returns the store of what is in an engine's log. It takes the log over:
// closing the store closes it, and so does a failure. Callers use an engine's own
// Open instead.
func New(ctx context.Context, log driver.Log, opts Options) (*Store, error) {
	c, err := core.Open(ctx, log, opts)
	if err != nil {
		return nil, err
	}
	return From(c), nil
}

// From returns the store that a backend is. Callers use the Open of an engine or
// of a client instead.
func From(b Backend) *Store {
	c, _ := b.(*core.Core)
	return &Store{backend: b, core: c}
}

// ID names the store's content; a copy of it has another.
func (s *Store) ID() string { return s.backend.Info().StoreID }

// Engine is the kind of engine: "memory", "sqlite"; "http" for the client of a
// server.
func (s *Store) Engine() string { return s.backend.Info().Engine }

// Tail returns the newest revision that reads of this store see, 0 for none, and
// the hash of its commit. Noted elsewhere, the hash shows later, with Verify,
// whether the log still has what it had.
func (s *Store) Tail() (revision uint64, hash Hash) { return s.backend.Tail() }

// Epoch returns the number of the present epoch, which is 1 and grows with every
// clear, and the revision of the clear that began it, 0 for the first.
func (s *Store) Epoch() (epoch, since uint64) { return s.backend.Epoch() }

// Queued returns how many commits wait to be written, behind those that are being
// written now: for metrics.
func (s *Store) Queued() int { return s.backend.Queued() }

// Writing returns a context that ends when the store has stopped writing for good, as
// after a failed sync of its disk: reads go on, and every commit is refused until it is
// opened again. The context's cause is an [*Error] that says why. It does not end with
// Close, and that of the client of a server never ends: ask the server's /readyz.
func (s *Store) Writing() context.Context {
	if s.core == nil {
		return context.Background()
	}
	return s.core.Writing()
}

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

// Replay takes over a change that Export gave. One that is here already is not
// added again; one that does not fit what is here is a conflict.
func (s *Store) Replay(ctx context.Context, c Copy) (Done, error) { return s.backend.Replay(ctx, c) }

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
