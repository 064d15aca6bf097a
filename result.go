package stet

import (
	"time"

	"github.com/stet-dev/stet/content"
)

// A Done is the answer to a commit.
type Done struct {
	// ID is the commit's id.
	ID string `json:"id"`
	// Revision is its place in the log.
	Revision uint64 `json:"revision"`
	// Time is the store's clock when the commit arrived.
	Time time.Time `json:"time"`
	// Replayed says that a commit with this id was in the log already, and
	// that this is its result.
	Replayed bool `json:"replayed,omitempty"`
	// Results has one result an operation, in order.
	Results []Result `json:"results"`
	// Versions has the version of each save: the new one, or the one that was
	// unchanged. It has one an operation, zero where that is not a save, and is nil
	// for a change that was taken over by Replay.
	Versions []Version `json:"-"`
}

// A Result is what one operation did.
type Result struct {
	PromptID string `json:"prompt_id,omitempty"`

	// For a save: the version, and how its number came about. For an
	// unchanged one, the version that has this content already.
	Version   Number         `json:"version,omitzero"`
	Ordinal   uint64         `json:"ordinal,omitempty"`
	Digest    content.Digest `json:"digest,omitzero"`
	Unchanged bool           `json:"unchanged,omitempty"`
	Bump      Bump           `json:"bump,omitempty"`
	Reason    string         `json:"reason,omitempty"`

	// For a delete: how many versions went.
	Deleted int `json:"deleted,omitempty"`

	// The labels that moved: one for an operation on a label, those of the
	// draft for a save, those that went with a forced delete.
	Labels []LabelChange `json:"labels,omitempty"`
}

// A Saved is the answer to a save.
type Saved struct {
	// Version is the new version, or latest if Unchanged.
	Version
	Unchanged bool
	// Bump is the part of the number that was raised, "" where the number was
	// given or is the first. Reason says why, for people.
	Bump   Bump
	Reason string
	// CommitID is the id of the commit.
	CommitID string
}
