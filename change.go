package stet

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/plainjson"
)

// A Change is one commit as the log has it: what the caller left to the store, such as
// the number of a new version, is resolved.
type Change struct {
	Revision uint64
	ID       string
	Time     time.Time // the store's clock, UTC, microseconds; it orders nothing
	Author   string
	Message  string
	Ops      []ChangeOp
	// Fingerprint is a digest of the operations that the caller gave.
	Fingerprint string
	// Hash is the SHA-256 of the previous change's Hash followed by this change's bytes
	// in the log.
	Hash Hash
}

// WithPrefix returns c with only the operations on prompts whose ids begin with prefix,
// and clears, which are on every prompt. It reports whether there are any. The result
// shares the operations with c.
func (c Change) WithPrefix(prefix string) (Change, bool) {
	others := func(o ChangeOp) bool { return o.Clear == nil && !strings.HasPrefix(o.PromptID(), prefix) }
	if prefix != "" && slices.ContainsFunc(c.Ops, others) {
		c.Ops = slices.DeleteFunc(slices.Clone(c.Ops), others)
	}
	return c, len(c.Ops) > 0
}

// A ChangeOp is one resolved operation: exactly one field is set.
type ChangeOp struct {
	Save        *SaveChange   `json:"save,omitempty"`
	Delete      *DeleteChange `json:"delete,omitempty"`
	SetLabel    *LabelChange  `json:"set_label,omitempty"`
	RemoveLabel *LabelChange  `json:"remove_label,omitempty"`
	Rollback    *LabelChange  `json:"rollback,omitempty"`
	Clear       *Clear        `json:"clear,omitempty"`
}

// Kind returns the name of the field that is set; see [Op.Kind].
func (o *ChangeOp) Kind() string {
	return kindOf(o.Save != nil, o.Delete != nil, o.SetLabel != nil, o.RemoveLabel != nil, o.Rollback != nil, o.Clear != nil)
}

// PromptID returns the id of the prompt that the operation was on, "" for a clear.
func (o *ChangeOp) PromptID() string {
	switch l := o.Label(); {
	case o.Save != nil:
		return o.Save.PromptID
	case o.Delete != nil:
		return o.Delete.PromptID
	case l != nil:
		return l.PromptID
	}
	return ""
}

// Label returns the move of a set_label, remove_label or rollback, nil for all other
// operations.
func (o *ChangeOp) Label() *LabelChange { return cmp.Or(o.SetLabel, o.RemoveLabel, o.Rollback) }

// Labels returns all moves of labels, including those of a save or a delete.
func (o *ChangeOp) Labels() []LabelChange {
	switch l := o.Label(); {
	case o.Save != nil:
		return o.Save.Labels
	case o.Delete != nil:
		return o.Delete.Labels
	case l != nil:
		return []LabelChange{*l}
	}
	return nil
}

// SaveChange says which version a save added, or that it added none.
type SaveChange struct {
	PromptID string         `json:"prompt_id"`
	Version  Number         `json:"version"`
	Ordinal  uint64         `json:"ordinal"`
	Digest   content.Digest `json:"digest"`
	// Seal is the SHA-256 of the digest and the version's other fields. It is zero if
	// nothing was added, and in a copy that was made after the version had been deleted.
	Seal Hash `json:"seal,omitzero"`
	// Unchanged says that no version was added, since latest, which Version names, has
	// the same content.
	Unchanged bool `json:"unchanged,omitempty"`
	// Bump and Reason say which part of the number was raised, and why.
	Bump   Bump          `json:"bump,omitempty"`
	Reason string        `json:"reason,omitempty"`
	Labels []LabelChange `json:"labels,omitempty"`
	// Content is the version itself, if the caller asked for it and it is not deleted.
	Content *Version `json:"content,omitempty"`
}

// DeleteChange says what a delete removed.
type DeleteChange struct {
	PromptID string `json:"prompt_id"`
	// Version is the number of the version to delete, zero for the whole prompt.
	Version Number `json:"version,omitzero"`
	// Deleted is how many versions were deleted: 0 if there were none.
	Deleted int           `json:"deleted"`
	Labels  []LabelChange `json:"labels,omitempty"`
}

// LabelChange is one move of a label.
type LabelChange struct {
	PromptID string `json:"prompt_id,omitempty"` // "" inside a save or a delete
	Label    string `json:"label"`
	From     Number `json:"from,omitzero"` // zero if the label was on no version
	To       Number `json:"to,omitzero"`   // zero if it was removed
}

// MarshalJSON returns the change as one JSON object.
func (c Change) MarshalJSON() ([]byte, error) {
	return plainjson.Marshal(struct {
		Revision    uint64     `json:"revision"`
		ID          string     `json:"id"`
		Time        string     `json:"time"`
		Author      string     `json:"author,omitempty"`
		Message     string     `json:"message,omitempty"`
		Ops         []ChangeOp `json:"ops"`
		Fingerprint string     `json:"fingerprint,omitempty"`
		Hash        Hash       `json:"hash,omitzero"`
	}{c.Revision, c.ID, FormatTime(c.Time), c.Author, c.Message, c.Ops, c.Fingerprint, c.Hash})
}

// FormatTime returns t as stet writes times in JSON: RFC 3339 in UTC with six digits of
// a second, so that times can be compared as strings.
func FormatTime(t time.Time) string { return string(AppendTime(nil, t)) }

// AppendTime appends FormatTime(t) to dst.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	dst = t.AppendFormat(dst, time.RFC3339) // which package time writes faster than other layouts
	dot := len(dst) - len("Z")
	dst = strconv.AppendInt(dst[:dot], int64(1e6+t.Nanosecond()/1e3), 10)
	dst[dot] = '.' // instead of the million, which keeps the zeros
	return append(dst, 'Z')
}
