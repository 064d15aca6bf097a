package stet

import (
	"time"

	"github.com/stet-dev/stet/content"
)

// A Done is the result of a commit.
type Done struct {
	// ID is the commit's id.
	ID string `json:"id"`
	// Revision is the commit's place in the log.
	Revision uint64 `json:"revision"`
	// Time is when the commit arrived, by the store's clock.
	Time time.Time `json:"time"`
	// Replayed says that the log already had a commit with this id, whose result this is.
	Replayed bool `json:"replayed,omitempty"`
	// Results has one element per operation, in order.
	Results []Result `json:"results"`
	// Versions has one element per operation: for a save the new version, or latest if it
	// was unchanged; otherwise the zero Version. Replay returns none.
	Versions []Version `json:"-"`
}

// A Result is what one operation did.
type Result struct {
	PromptID string `json:"prompt_id,omitempty"`

	// For a save: the version, and how its number was chosen. If Unchanged, the version
	// is latest, which has the same content already.
	Version   Number         `json:"version,omitzero"`
	Ordinal   uint64         `json:"ordinal,omitempty"`
	Digest    content.Digest `json:"digest,omitzero"`
	Unchanged bool           `json:"unchanged,omitempty"`
	Bump      Bump           `json:"bump,omitempty"`
	Reason    string         `json:"reason,omitempty"`

	// For a delete: how many versions were deleted.
	Deleted int `json:"deleted,omitempty"`

	// The labels that moved: the label of an operation on one, those of the draft of a
	// save, those that a forced delete removed.
	Labels []LabelChange `json:"labels,omitempty"`
}

// A Saved is the result of Save.
type Saved struct {
	// Version is the new version, or latest if Unchanged.
	Version
	Unchanged bool
	// Bump is the part of the number that was raised, "" if the number was given or is
	// the first. Reason says why, for people.
	Bump   Bump
	Reason string
	// CommitID is the id of the commit.
	CommitID string
}
