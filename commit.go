package stet

import (
	"encoding/json"
	"slices"
	"time"
)

// Limits of one commit.
const (
	// MaxOps is the largest number of operations.
	MaxOps = 1000
	// MaxCommitBytes bounds the sum of the sizes of its texts, messages,
	// configs, metadata and other strings.
	MaxCommitBytes = 8 << 20
)

// A Commit is a list of operations that happen together or not at all.
type Commit struct {
	// ID makes the commit happen exactly once: sent again with the same ID and
	// the same operations it returns the first result, with other operations
	// it is refused as a conflict. Empty, the store makes one. 1 to 128
	// visible ASCII characters.
	ID string `json:"id,omitempty"`
	// Author is who commits. At most 256 bytes.
	Author string `json:"author,omitempty"`
	// Message says why. At most 64 KiB.
	Message string `json:"message,omitempty"`
	// Ops are carried out in order, each seeing what those before it did.
	Ops []Op `json:"ops"`
	// Epoch is the epoch that every Expect is meant in (see [Tail]), 0 for the present
	// one: after a clear the same number is another version, and the commit is refused
	// as a conflict. It is no part of what the ID stands for: sent again with another
	// Epoch, a commit is the same.
	Epoch uint64 `json:"epoch,omitempty"`
}

// An Op is one operation of a commit: exactly one of its fields is set.
type Op struct {
	Save        *Draft       `json:"save,omitempty"`
	Delete      *Delete      `json:"delete,omitempty"`
	SetLabel    *SetLabel    `json:"set_label,omitempty"`
	RemoveLabel *RemoveLabel `json:"remove_label,omitempty"`
	Rollback    *Rollback    `json:"rollback,omitempty"`
	Clear       *Clear       `json:"clear,omitempty"`
}

// PromptID returns the prompt that the operation is on, "" for a clear.
func (o *Op) PromptID() string {
	switch {
	case o.Save != nil:
		return o.Save.PromptID
	case o.Delete != nil:
		return o.Delete.PromptID
	case o.SetLabel != nil:
		return o.SetLabel.PromptID
	case o.RemoveLabel != nil:
		return o.RemoveLabel.PromptID
	case o.Rollback != nil:
		return o.Rollback.PromptID
	}
	return ""
}

// Kind returns the name of the field that is set, as JSON has it: "save", "delete",
// "set_label", "remove_label", "rollback" or "clear"; "" for none.
func (o *Op) Kind() string {
	return kindOf(o.Save != nil, o.Delete != nil, o.SetLabel != nil, o.RemoveLabel != nil, o.Rollback != nil, o.Clear != nil)
}

// kinds are the kinds of operations.
var kinds = [...]string{"save", "delete", "set_label", "remove_label", "rollback", "clear"}

// kindOf returns the first kind that is set, "" for none.
func kindOf(set ...bool) string {
	if i := slices.Index(set, true); i >= 0 {
		return kinds[i]
	}
	return ""
}

// A Draft is a version that is to be saved.
type Draft struct {
	PromptID string `json:"prompt_id"`

	// Text or Messages is the content; the other is absent. See package content.
	Type     string          `json:"type,omitempty"`
	Text     string          `json:"text,omitempty"`
	Messages json.RawMessage `json:"messages,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
	Template string          `json:"template,omitempty"`

	// Version is the number to save under. It is refused if it was ever used.
	Version string `json:"version,omitempty"`
	// Bump makes the store choose the number: auto (the default), major, minor
	// or patch. Not together with Version.
	Bump Bump `json:"bump,omitempty"`
	// Expect is the number that latest must be, "" for none; nil for any.
	Expect *string `json:"expect,omitempty"`
	// IfChanged adds nothing if the content is latest's. Labels still move.
	IfChanged bool `json:"if_changed,omitempty"`

	// Labels are moved to the new version.
	Labels []string `json:"labels,omitempty"`
	// Metadata is any JSON object.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// Parents are the versions ("ID@NUMBER") that this one was made from.
	Parents []string `json:"parents,omitempty"`
	// Author and Message are the commit's unless they are given here.
	Author  string `json:"author,omitempty"`
	Message string `json:"message,omitempty"`
	// CreatedAt is for imports: when the version was made elsewhere.
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// Delete removes a version, or a whole prompt where Version is "". It is
// refused while a label points there, unless an earlier operation of the commit
// moved it, or Force is set: then the label goes too.
type Delete struct {
	PromptID string `json:"prompt_id"`
	Version  string `json:"version,omitempty"`
	Force    bool   `json:"force,omitempty"`
}

// SetLabel moves a label.
type SetLabel struct {
	PromptID string `json:"prompt_id"`
	Label    string `json:"label"`
	// Version is where to: a number, or any selector, resolved in the commit.
	Version string `json:"version"`
	// Expect is the number that the label must be at now, "" for none; nil for any.
	Expect *string `json:"expect,omitempty"`
}

// RemoveLabel takes a label away.
type RemoveLabel struct {
	PromptID string  `json:"prompt_id"`
	Label    string  `json:"label"`
	Expect   *string `json:"expect,omitempty"`
}

// Rollback moves a label to where it was before its last move, decided inside
// the commit.
type Rollback struct {
	PromptID string `json:"prompt_id"`
	// Label is "production" if empty.
	Label  string  `json:"label,omitempty"`
	Expect *string `json:"expect,omitempty"`
}

// Clear removes everything and begins a new epoch.
type Clear struct{}

// DefaultLabel is the label that current follows and Rollback moves.
const DefaultLabel = "production"
