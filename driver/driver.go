// Package driver is the contract between stet's core and the engines that store its data.
//
// An engine stores one conditional log, and bodies. It knows nothing of prompts: which number
// is next, what conflicts and what a selector names is decided in package core, once for
// every engine. An engine implements [Log]. It may implement further small interfaces:
// [Checkpointer], [Notifier], [Stopper], [Checker] and [Backuper]. Core works without each of
// them. Package drivertest defines what a correct engine is.
//
// # Failures
//
// Core tells its callers whether a commit has happened. So an engine is exact about one
// question: can a failed append still have happened?
//
//   - [ErrMoved]: nothing was added, because the tail is not the one that was given. Read
//     shows the entry that follows that tail, or that the tail is not in the log.
//   - An error that wraps [ErrNotApplied]: this call added nothing and never will. The error
//     says nothing about an earlier call with the same entries.
//   - Any other error: the outcome is unknown. The entries may be in the log, or get there
//     later, but only if nothing else takes the first of their revisions before.
//
// That last condition makes it possible to resolve an unknown outcome. Core sends the same
// entries again: either they are added now, or the answer is ErrMoved and the log shows which
// entry has the revision. For this, the state on which an ErrMoved is based, and the state
// that Read and Barrier show, are as durable as an acknowledged append.
package driver

import (
	"context"
	"errors"
)

// ErrMoved is the error of Append if the tail of the log is not the one that was given:
// another program has appended, or the log was replaced by another. Nothing was added.
var ErrMoved = errors.New("driver: the tail of the log has moved")

// ErrNotApplied is wrapped by an error of Append if it is certain that this call added
// nothing and never will. Examples are a full disk that is noticed before the commit, and a
// connection that is refused before anything was sent.
var ErrNotApplied = errors.New("driver: not applied")

// ErrNoBody is the error of Body for a body that was removed, because an entry dropped it, or
// was never stored.
var ErrNoBody = errors.New("driver: no such body")

// HashSize is the number of bytes of an entry's hash, a SHA-256.
const HashSize = 32

// MaxOps is the largest number of operations in one entry. An engine may rely on it to pack
// (revision, operation) into one integer.
const MaxOps = 1000

// MaxData is the largest Data of an entry, and MaxChunk the largest Data of a chunk, in
// bytes. Both fit into one request of an engine whose requests are limited to 1.5 MiB.
const (
	MaxData  = 1 << 20
	MaxChunk = 256 << 10
)

// A Tail is the revision and the hash of the last entry of a log. It is zero for an empty
// log. The hash distinguishes logs that have reached the same revision with different
// entries, as after a restore or after a failover that lost entries.
type Tail struct {
	Revision uint64
	Hash     [HashSize]byte
}

// A Log is one ordered log of entries, with the revisions 1, 2, 3 … without a gap, and the
// bodies of those entries.
//
// Many goroutines may call all methods at once, except that core makes only one call of
// Append at a time. In an engine whose Info says Exclusive, a read (Read, Barrier, Body) must
// not wait for an Append, which may be stuck. Arguments belong to the caller, and results to
// the engine: neither side changes a slice of the other, and an engine that keeps a slice
// copies it or leaves it unchanged.
type Log interface {
	// Info describes the engine. It does not change while the log is open.
	Info() Info

	// Append adds one or more entries with consecutive revisions, and their bodies: all of
	// them or none. The revision of the first entry is the one after prev. Append succeeds
	// only if prev, revision and hash, is the tail of the log at the instant at which the
	// entries are added. When it returns nil, the entries are as durable as the engine
	// promises.
	//
	// The engine removes the bodies that an entry drops, and all bodies of earlier revisions
	// if an entry clears. It may do so later, in steps of a bounded size, if the append
	// stores what is to be removed; until then Body may still return those bodies. A body is
	// never removed before the entry that drops it is in the log.
	//
	// When ctx is done, Append may return early. The outcome is then unknown unless the
	// error wraps ErrNotApplied.
	Append(ctx context.Context, prev Tail, entries []Entry) error

	// Read returns up to limit entries after the given revision, in order and without a gap,
	// each with its Revision, ID, Hash and Data. It returns no entries if there are none
	// after that revision. It may return fewer than limit although there are more: an engine
	// bounds the size of an answer.
	//
	// Read may not yet show an append that another program has just made. After Barrier has
	// returned a tail, Read shows every entry up to it.
	Read(ctx context.Context, after uint64, limit int) ([]Entry, error)

	// Barrier returns a tail that is at least as new as every append, of any program, that
	// was acknowledged before the call.
	Barrier(ctx context.Context) (Tail, error)

	// Body returns a body, or ErrNoBody.
	Body(ctx context.Context, ref BodyRef) (Body, error)

	// Close releases the resources of the log. Calls that have not returned fail.
	Close() error
}

// Info describes an engine and the store that it has opened.
type Info struct {
	// StoreID identifies the store. It is chosen at random when the store is created. A
	// store that is restored from a backup has an id of its own.
	StoreID string

	// Engine is the kind of engine, such as "memory" or "sqlite".
	Engine string

	// Exclusive says that no other program can append while this log is open. The state
	// that core has published is then the newest, and reads need no barrier.
	Exclusive bool

	// Resident says that the engine has all bodies in memory. Core may then keep them,
	// decoded, without a bound.
	Resident bool

	// MaxEntries and MaxBytes limit one Append: the number of its entries, and the sum of the
	// lengths of their Data and IDs. 0 means no limit. An entry with MaxData must fit. Bodies
	// and references to dropped bodies do not count: an engine with small transactions writes
	// bodies before the entries, and removes them later.
	MaxEntries int
	MaxBytes   int
}

// An Entry is one commit in the log.
type Entry struct {
	// Revision is the entry's place in the log.
	Revision uint64

	// ID is the commit's id. Core makes sure that no id is in the log twice.
	ID string

	// Hash is the SHA-256 of the previous entry's Hash (32 zero bytes for the first entry)
	// followed by Data.
	Hash [HashSize]byte

	// Data is the resolved commit as JSON. An engine stores it byte for byte.
	Data []byte

	// The fields below are for Append only. Read leaves them empty.

	// Bodies are the bodies that this entry adds.
	Bodies []Body

	// Dropped are the bodies, of this and of earlier entries, that nothing refers to after
	// this entry.
	Dropped []BodyRef

	// Cleared says that after this entry nothing refers to a body of an earlier entry, and
	// that all labels of earlier entries are removed.
	Cleared bool

	// Moves are the labels that this entry moves, for engines that store them in a form for
	// people. They add nothing to Data.
	Moves []Move
}

// A BodyRef identifies a body by the entry, and the operation in it, that saved it.
// (Revision, Op) is unique within a store. The other fields are for people, and for engines
// that find bodies by name.
type BodyRef struct {
	Revision uint64
	Op       int // index of the operation in the commit, from 0, below MaxOps
	PromptID string
	Version  string
	Ordinal  uint64
}

// A Body is the large part of a version, which never changes. Text and Fields do not depend on
// the revision: if another program appends first and the commit is decided again, they are
// the same, so that an engine that writes bodies before the entries need not do so twice.
type Body struct {
	BodyRef

	// Text is the version's text byte for byte, or its messages as canonical JSON.
	Text string

	// Fields is a JSON object with the rest. An engine stores it byte for byte.
	Fields string
}

// A Move says which version a label points at after an entry.
type Move struct {
	PromptID string
	Label    string
	Version  string // "" if the label was removed
}

// A Notifier is a Log that reports when it has grown. Core polls a log that is not exclusive
// and not a Notifier.
type Notifier interface {
	// Wait returns nil as soon as the tail is after the given revision. It may return late,
	// or too early: core also reads the tail from time to time. It returns an error when
	// ctx is done or the log is closed.
	Wait(ctx context.Context, after uint64) error
}

// A Stopper is a Log that may stop writing while it is open, for example because a sync
// failed and it is unknown what is on the disk. Reads still work.
type Stopper interface {
	// Writing returns a context that ends when the log stops writing for good. Its cause is
	// an error that says why, and what to do. It does not end with Close.
	Writing() context.Context
}

// A Checkpointer is a Log that can store a checkpoint: core's state at a revision, so that
// opening the log need not read all its entries. A checkpoint is only a cache. Core checks it
// when it reads it, and can always make it again from the log.
type Checkpointer interface {
	// SaveCheckpoint atomically replaces the chunks that are given, removes those whose Data
	// is nil, keeps the others, and records that together they stand for the log up to
	// revision. With reset it first removes all earlier chunks. Core does not call it at the
	// same time as Append, but other programs that share the log may: a checkpoint never
	// replaces one of a later revision.
	SaveCheckpoint(ctx context.Context, revision uint64, reset bool, chunks []Chunk) error

	// LoadCheckpoint calls chunk for every chunk, ordered by key, and returns the revision
	// that they stand for, 0 if there is no checkpoint. The data of a chunk is valid only
	// during the call of chunk.
	LoadCheckpoint(ctx context.Context, chunk func(Chunk) error) (revision uint64, err error)
}

// A Chunk is a part of a checkpoint. Its Data has at most MaxChunk bytes.
type Chunk struct {
	Key  string
	Data []byte
}

// A Checker is a Log that can examine its own storage.
type Checker interface {
	// Check returns the problems of the storage itself, each as a sentence. An error means
	// that the storage could not be examined.
	Check(ctx context.Context) (problems []string, err error)

	// Aside returns a Reader for checks, which read everything. It uses no connection or
	// other resource that reads of the Log wait for. If those wait for nothing, it may be
	// the log itself.
	Aside() Reader
}

// A Reader has the methods of a Log that a check needs.
type Reader interface {
	Read(ctx context.Context, after uint64, limit int) ([]Entry, error)
	Body(ctx context.Context, ref BodyRef) (Body, error)
}

// A Backuper is a Log that can copy itself to a file while it is in use.
type Backuper interface {
	// Backup creates the file path with the log up to the tail that it returns, and the
	// bodies of those entries. It has every entry that was acknowledged before the call.
	// When Backup returns nil, the file is durable and was verified completely. After an
	// error path is as it was. Appends and reads do not wait for a backup.
	Backup(ctx context.Context, path string, o BackupOptions) (Tail, error)
}

// BackupOptions configure Backup.
type BackupOptions struct {
	// Overwrite lets the backup replace a file that is at path.
	Overwrite bool
	// Progress, if not nil, is called from time to time with how much of the work is done.
	// Calls do not overlap.
	Progress func(done, total uint64)
}
