// Package mutant holds switches that put known defects into the real code, so
// that the tests can be shown to find them: each is one of the mistakes that
// docs/design.md lists, or one that a change to core could easily make.
//
// A switch is a line in core:
//
//	if mutant.On(mutant.RefusalForgotten) { … }
//
// Without the build tag "mutants" On is constantly false, and the compiler
// leaves the line out. drivertest/mutants turns them on, one after the other.
package mutant

// A Mutant is one defect.
type Mutant uint8

// The defects.
const (
	None Mutant = iota

	// NumberCheckedFirst (trap 1): whether an explicit number is free is looked
	// up before the commit is handed to the writer, and not again there.
	NumberCheckedFirst
	// LabelCheckedFirst (traps 1 and 2): what a label's expect asks for is
	// looked up before the commit is handed to the writer, and not again there.
	LabelCheckedFirst
	// LabelOnTwo (trap 2): moving a label leaves it on the version it was on.
	LabelOnTwo
	// MaxPlusOne (trap 3): the number after the highest living one is taken, be
	// it that it was used and deleted.
	MaxPlusOne
	// OrdinalsReused (trap 3): the ordinal is one more than the living versions.
	OrdinalsReused
	// TombstonesForgotten (trap 3): a delete leaves no tombstone.
	TombstonesForgotten
	// HeadShared (trap 4): the map of a head's labels is handed out, not a copy.
	HeadShared
	// DraftKept (trap 4): what the caller gave is kept, not a copy.
	DraftKept
	// ClearSwallows (trap 5): what was saved after a clear, in the same batch,
	// is acknowledged and vanishes with it.
	ClearSwallows
	// EpochUnchecked (trap 5): what is decided after a clear, in the same batch,
	// sees the heads from before it, and brings them back.
	EpochUnchecked
	// HeadsOneByOne (trap 6): each prompt of a commit is visible as soon as its
	// head is in its slot.
	HeadsOneByOne
	// SnapshotFirst (trap 6): a commit is announced before its heads are in
	// their slots.
	SnapshotFirst
	// ManySnapshots (trap 6): a read of several references looks each up in the
	// newest snapshot.
	ManySnapshots
	// ReadThenSubscribe (trap 8): a feed looks for news, finds none, and
	// subscribes then.
	ReadThenSubscribe
	// WrongBodyKey (trap 9): bodies are cached by prompt and ordinal, without
	// the epoch.
	WrongBodyKey
	// HistoryCopied (trap 11): a save copies the prompt's list of versions.
	HistoryCopied
	// AckBeforeAppend (trap 16): a commit is answered before it is appended.
	AckBeforeAppend
	// ChunkAnswered (trap 16): of an append in chunks, a commit is answered when the
	// engine has taken its chunk.
	ChunkAnswered
	// ChunkShown: of an append in chunks, what a chunk brings is visible when the
	// engine has taken it.
	ChunkShown
	// JoinedLeftOut: an append that is sent again has not what joined it on its
	// way, which is answered all the same.
	JoinedLeftOut
	// FailureIsSuccess (trap 16): an append that failed counts as done.
	FailureIsSuccess
	// UnknownIsFailure: a commit that may have happened is called unavailable.
	UnknownIsFailure
	// UnknownIsSuccess: an append whose answer was lost counts as done.
	UnknownIsSuccess
	// IDsForgotten: the ids of own commits are not remembered.
	IDsForgotten
	// IDsNotRead: the ids of commits read from the log are not remembered, so
	// that an append whose answer was lost is made again.
	IDsNotRead
	// RefusalForgotten (trap 18): a duplicate of a refused commit is decided anew.
	RefusalForgotten
	// FingerprintIgnored: an id with other operations gets the first result.
	FingerprintIgnored
	// RollbackKeeps: a refused commit leaves what its first operations did in
	// the batch.
	RollbackKeeps
	// DeleteUnguarded: a version that a label points at is deleted without force.
	DeleteUnguarded
	// RollbackFirst: a rollback goes to where the label was first, not to where it
	// was before its last move.
	RollbackFirst
	// IfChangedAny (trap 17): if_changed looks whether any version has the
	// content, not whether latest has.
	IfChangedAny
	// ReadsWait: a read takes a lock that the writer holds while it appends.
	ReadsWait
	// NoBarrier: a read of a shared log does not ask whether there is something
	// newer.
	NoBarrier
	// BatchRevision: the commits of a batch are answered with the revision of
	// its last one.
	BatchRevision
	// TimeGoesBack: a commit has the time that its clock, or the log that it is
	// copied from, says, though the one before it is later.
	TimeGoesBack
	// BodyKept: the text of a version that was deleted stays in memory.
	BodyKept

	end
)

var names = [...]string{
	"none", "number checked first", "label checked first", "label on two", "max plus one", "ordinals reused",
	"tombstones forgotten", "head shared", "draft kept", "clear swallows", "epoch unchecked", "heads one by one",
	"snapshot first", "many snapshots", "read then subscribe", "wrong body key", "history copied",
	"ack before append", "chunk answered", "chunk shown", "joined left out", "failure is success", "unknown is failure", "unknown is success", "ids forgotten",
	"ids not read", "refusal forgotten", "fingerprint ignored", "rollback keeps", "delete unguarded",
	"rollback first", "if changed any", "reads wait", "no barrier", "batch revision",
	"time goes back", "body kept",
}

// String returns the mutant's name in words.
func (m Mutant) String() string { return names[m] }

// All returns every mutant.
func All() []Mutant {
	all := make([]Mutant, 0, end-1)
	for m := None + 1; m < end; m++ {
		all = append(all, m)
	}
	return all
}
