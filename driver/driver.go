// Package driver is the contract between stet's core and the engines that keep
// its data.
//
// An engine is one conditional log and a place for bodies; all meaning (which
// number is next, what conflicts, what a selector names) is in package core,
// once, for every engine. An engine implements [Log]; what it can do beyond
// that it offers through the small interfaces beside it ([Checkpointer],
// [Notifier], [Stopper], [Checker], [Backuper]), each of which has a fallback in core.
// Package drivertest is the definition of a correct engine.
//
// # Failures
//
// What an engine returns decides what a caller is told, so an engine is exact
// about one question: can the append still have happened?
//
//   - [ErrMoved]: nothing was added, the tail is not the one that was given. Read
//     shows the entry that follows that tail, or that it is not in the log.
//   - an error that wraps [ErrNotApplied]: nothing was added and, of this call,
//     nothing ever will be. It says nothing of an earlier call with the same
//     entries.
//   - any other error: the outcome is not known. The entries may be in the log,
//     or get there later, but only as long as nothing else has taken the first
//     of their revisions.
//
// The last sentence is what makes an unknown outcome resolvable: core sends
// the same entries again, and either they are added now, or the answer is
// ErrMoved and the log says who was there. For that, what ErrMoved rests on, and
// what Read and Barrier show, is as durable as an acknowledged append.
package driver

import (
	"context"
	"errors"
)

// ErrMoved is what Append returns when the log's tail is not the one that was
// given: somebody else has appended, or the log was replaced by another. Nothing
// was added.
var ErrMoved = errors.New("driver: the tail of the log has moved")

// ErrNotApplied marks an error of Append after which it is certain that nothing
// was added and, of this call, nothing will be: a full disk found before the
// commit, a connection refused before anything was sent.
var ErrNotApplied = errors.New("driver: not applied")

// ErrNoBody is what Body returns for a body that is not there: removed because an
// entry dropped it, or never stored.
var ErrNoBody = errors.New("driver: no such body")

// HashSize is the size of an entry's hash in bytes: SHA-256's.
const HashSize = 32

// MaxOps is the largest number of operations in one entry. An engine may count
// on it to pack (revision, operation) into one integer.
const MaxOps = 1000

// MaxData is the largest Data of an entry that core makes, and MaxChunk the
// largest Data of a chunk: both fit one request of an engine whose requests are
// bounded by 1.5 MiB.
const (
	MaxData  = 1 << 20
	MaxChunk = 256 << 10
)

// A Tail is the end of a log: the revision of its last entry and the hash of it,
// or zeros for an empty log. The hash tells a log from another that has come to
// the same revision, as after a restore or a failover that lost entries.
type Tail struct {
	Revision uint64
	Hash     [HashSize]byte
}

// A Log is one ordered log of entries, with revisions 1, 2, 3 … and no gap, and
// the bodies that the entries brought.
//
// All methods may be called by many goroutines at once, except that core makes
// one call of Append at a time. Reads (Read, Barrier, Body) must not wait for an
// Append that is stuck, in an engine whose Info says Exclusive. Arguments belong
// to the caller and results to the engine: neither side changes a slice that it
// was given, and an engine copies what it keeps, or keeps it unchanged.
type Log interface {
	// Info tells what the engine is. It does not change while the log is open.
	Info() Info

	// Append adds entries, at least one, with consecutive revisions, in order,
	// together with their bodies: all of them or none. It succeeds only if the
	// log's tail is prev, revision and hash, at the instant at which they are
	// added; the first entry's revision is the one after prev's. When it returns
	// nil the entries are as durable as the engine promises: they survive
	// whatever it claims to survive.
	//
	// The engine removes the bodies that an entry drops, and all bodies of
	// earlier revisions where an entry clears. That may be later, in steps of a
	// bounded size, as long as what is to be removed is noted with the append;
	// until then Body may still return them. A body is never gone before the
	// entry that drops it is in the log.
	//
	// Once ctx is done Append may return early; the outcome is then unknown
	// unless the error wraps ErrNotApplied.
	Append(ctx context.Context, prev Tail, entries []Entry) error

	// Read returns up to limit entries after the given revision, in order and
	// without a gap, each with Revision, ID, Hash and Data; it does not return
	// what only Append needs. None means that after is the tail, or beyond it.
	// Fewer than limit means nothing: an engine bounds the size of an answer.
	//
	// Read may lag behind an append that somebody else has just been told of;
	// after Barrier has returned R, Read shows every entry up to R.
	Read(ctx context.Context, after uint64, limit int) ([]Entry, error)

	// Barrier returns a tail that is at least as new as every append that was
	// acknowledged, to anybody, before the call.
	Barrier(ctx context.Context) (Tail, error)

	// Body returns a body, or ErrNoBody.
	Body(ctx context.Context, ref BodyRef) (Body, error)

	// Close releases what the log holds. Calls in flight end with an error.
	Close() error
}

// Info describes an engine and the store that it has opened.
type Info struct {
	// StoreID names the store's content: made once, at random, when the store
	// is created. A copy that stet makes has its own.
	StoreID string

	// Engine is the kind of engine, for people: "memory", "sqlite".
	Engine string

	// Exclusive says that nobody else can append while this log is open, so
	// that what core has published is the newest there is, and reads need no
	// barrier.
	Exclusive bool

	// Resident says that the engine keeps bodies in memory anyway, so that
	// core may keep what it has decoded of them without a bound.
	Resident bool

	// MaxEntries and MaxBytes bound one Append: the number of its entries, and
	// the sum of the lengths of their Data and IDs. 0 means no bound. An entry
	// with MaxData must fit. Bodies and what is dropped do not count: an engine
	// with small transactions stages the ones and notes the others.
	MaxEntries int
	MaxBytes   int
}

// An Entry is one commit in the log.
type Entry struct {
	// Revision is the entry's place in the log.
	Revision uint64

	// ID is the commit's id. Core sees to it that no id is in the log twice.
	ID string

	// Hash is SHA-256 over the Hash of the entry before (32 zero bytes for the
	// first) and Data.
	Hash [HashSize]byte

	// Data is the resolved commit as JSON. An engine keeps it byte for byte.
	Data []byte

	// The rest is for Append only.

	// Bodies are the bodies that this entry brings.
	Bodies []Body

	// Dropped names the bodies, of this and of earlier entries, that nothing
	// refers to any more.
	Dropped []BodyRef

	// Cleared says that nothing refers to any body of an earlier entry any
	// more. A label of an earlier entry is gone too.
	Cleared bool

	// Moves are the pointers that this entry moves, for engines that keep
	// them where a person can read them. They say nothing that Data does not.
	Moves []Move
}

// A BodyRef names a body by the entry and the operation in it that saved it.
// (Revision, Op) is unique within a store; the rest is for engines that would
// rather find it by name, and for people.
type BodyRef struct {
	Revision uint64
	Op       int // index of the operation in the commit, from 0, below MaxOps
	PromptID string
	Version  string
	Ordinal  uint64
}

// A Body is what is large and never changes about a version. Text and Fields do
// not depend on where the version comes to stand: they are the same when a
// commit has lost the race for the log and is decided again, so that an engine
// that stages bodies need not do it twice.
type Body struct {
	BodyRef

	// Text is the version's text byte for byte, or its messages as canonical JSON.
	Text string

	// Fields is a JSON object with the rest. An engine keeps it byte for byte.
	Fields string
}

// A Move says where a label stands after an entry.
type Move struct {
	PromptID string
	Label    string
	Version  string // "" where the label was removed
}

// A Notifier is a Log that can tell when it has grown, without being asked again
// and again. Where it is missing and the log is not exclusive, core polls.
type Notifier interface {
	// Wait returns nil once the tail is after the given revision, at once if it
	// already is. It may be late, and it may return nil for no reason: core
	// looks at the tail now and then anyway. It returns an error when ctx is
	// done or the log is closed.
	Wait(ctx context.Context, after uint64) error
}

// A Stopper is a Log that may come to write no more while it is open: nobody knows what
// is on its disk after a failed sync, say. Reads go on.
type Stopper interface {
	// Writing returns a context that ends when the log has stopped writing for good,
	// with an error as its cause that says why, and what to do. It does not
	// end with Close.
	Writing() context.Context
}

// A Checkpointer is a Log that can keep a digest of its entries, so that opening
// it need not read them all. What it keeps can always be made again from the
// log: core takes it for a cache, and checks it.
type Checkpointer interface {
	// SaveCheckpoint replaces the chunks that are given, removes those whose
	// Data is nil, leaves the others, and notes that all of them together now
	// stand for the log up to revision: all of it or nothing. Core does not call
	// it at the same time as Append. If the log is shared, others may: a
	// checkpoint of an older revision never replaces a newer one. reset says
	// that all earlier chunks go first.
	SaveCheckpoint(ctx context.Context, revision uint64, reset bool, chunks []Chunk) error

	// LoadCheckpoint calls chunk for every chunk, ordered by key, and returns
	// the revision that they stand for, 0 if there is no checkpoint. The data
	// is valid only during the call.
	LoadCheckpoint(ctx context.Context, chunk func(Chunk) error) (revision uint64, err error)
}

// A Chunk is a piece of a checkpoint, of at most MaxChunk bytes.
type Chunk struct {
	Key  string
	Data []byte
}

// A Checker is a Log that can examine its own storage.
type Checker interface {
	// Check returns what is wrong with the storage itself, a sentence each. An
	// error means that it could not be examined.
	Check(ctx context.Context) (problems []string, err error)

	// Aside returns a way to read all that is stored, for a check, that takes
	// nothing that other reads would wait for: a connection, a descriptor. Where
	// they wait for nothing it is the log itself.
	Aside() Reader
}

// A Reader is what a check needs of a Log: its Read and Body.
type Reader interface {
	Read(ctx context.Context, after uint64, limit int) ([]Entry, error)
	Body(ctx context.Context, ref BodyRef) (Body, error)
}

// A Backuper is a Log that can copy itself to a file while it is in use.
type Backuper interface {
	// Backup makes the file path, which then holds the log up to the tail that is
	// returned, with the bodies that belong to it: a beginning of the log that has
	// everything that was acknowledged before the call. When Backup returns, the
	// file is durable, and was read through and found sound. If it fails, what was
	// at path is there as it was. Appends and reads go on meanwhile.
	Backup(ctx context.Context, path string, o BackupOptions) (Tail, error)
}

// BackupOptions are how a backup is made.
type BackupOptions struct {
	// Overwrite lets the file take the place of one that is there.
	Overwrite bool
	// Progress, if not nil, is called now and then with how much is done of what
	// there is to do, by one goroutine at a time.
	Progress func(done, total uint64)
}
