package stet

import (
	"encoding/json"
	"slices"
	"time"
)

// Limits of one commit.
const (
	// MaxOps is the maximum number of operations.
	MaxOps = 1000
	// MaxCommitBytes is the maximum sum, in bytes, of the texts, messages, configs,
	// metadata and other strings.
	MaxCommitBytes = 8 << 20
)

// A Commit is a list of operations that happen together or not at all.
type Commit struct {
	// ID makes the commit happen exactly once: sent again with the same ID and the
	// same operations it returns the first result; with other operations it is a
	// conflict. It is 1 to 128 visible ASCII characters. If it is "", the store makes
	// one.
	ID string `json:"id,omitempty"`
	// Author is who commits. At most 256 bytes.
	Author string `json:"author,omitempty"`
	// Message says why. At most 64 KiB.
	Message string `json:"message,omitempty"`
	// Ops are carried out in order. Each sees the effects of those before it.
	Ops []Op `json:"ops"`
	// Epoch is the epoch (see [Tail]) in which the caller read the numbers that the
	// operations expect, 0 for any. After a clear the same number may be another version,
	// so the commit is a conflict if the store's epoch is another. A commit that is sent
	// again with another Epoch is still the same commit.
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

// A Draft is a version to be saved.
type Draft struct {
	PromptID string `json:"prompt_id"`

	// Either Text or Messages is given. See content.Spec for these five.
	Type     string          `json:"type,omitempty"`
	Text     string          `json:"text,omitempty"`
	Messages json.RawMessage `json:"messages,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
	Template string          `json:"template,omitempty"`

	// Version is the number of the new version. It is a conflict if the prompt ever
	// used it. If it is "", the store chooses the number.
	Version string `json:"version,omitempty"`
	// Bump says how the store chooses the number: auto (the default), major, minor or
	// patch. It may not be given together with Version.
	Bump Bump `json:"bump,omitempty"`
	// Expect is the number that latest must have, "" if there must be no version. The
	// save is a conflict otherwise. nil expects nothing.
	Expect *string `json:"expect,omitempty"`
	// IfChanged adds no version if the content equals that of latest. Labels still move,
	// to latest.
	IfChanged bool `json:"if_changed,omitempty"`

	// Labels are moved to the new version.
	Labels []string `json:"labels,omitempty"`
	// Metadata is any JSON object.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// Parents are the versions ("ID@NUMBER") that this one was made from.
	Parents []string `json:"parents,omitempty"`
	// Author and Message are those of the commit unless they are given here.
	Author  string `json:"author,omitempty"`
	Message string `json:"message,omitempty"`
	// CreatedAt is for imports: the time at which the version was made elsewhere. The
	// zero time means that of the commit.
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// Delete removes a version, or the whole prompt if Version is "". It is a conflict if
// a label points at what is to be removed, unless an earlier operation of the commit
// moved the label. With Force the label is removed too.
type Delete struct {
	PromptID string `json:"prompt_id"`
	Version  string `json:"version,omitempty"`
	Force    bool   `json:"force,omitempty"`
}

// SetLabel moves a label.
type SetLabel struct {
	PromptID string `json:"prompt_id"`
	Label    string `json:"label"`
	// Version is the version to move the label to: a number or any other selector,
	// which the commit resolves.
	Version string `json:"version"`
	// Expect is the number that the label must be on, "" if there must be no such label.
	// The operation is a conflict otherwise. nil expects nothing.
	Expect *string `json:"expect,omitempty"`
}

// RemoveLabel removes a label.
type RemoveLabel struct {
	PromptID string  `json:"prompt_id"`
	Label    string  `json:"label"`
	Expect   *string `json:"expect,omitempty"` // as in SetLabel
}

// Rollback moves a label back to the version that it was on before its last move. The
// commit decides which version that is.
type Rollback struct {
	PromptID string  `json:"prompt_id"`
	Label    string  `json:"label,omitempty"`  // DefaultLabel if ""
	Expect   *string `json:"expect,omitempty"` // as in SetLabel
}

// Clear removes everything and begins a new epoch.
type Clear struct{}

// DefaultLabel is the label that the selector current follows, and that Rollback moves
// and History lists if no other is named.
const DefaultLabel = "production"
