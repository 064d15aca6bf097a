package stet

import (
	"time"
)

// A Head is what changes about a prompt.
type Head struct {
	PromptID string `json:"prompt_id"`
	// Latest is the highest release, or the highest pre-release if there is none.
	Latest Number `json:"latest"`
	// Current is the version that a reference without a selector names: that of the label
	// production if the prompt has it, else Latest.
	Current Number `json:"current"`
	// Labels maps each label to its version. The caller may change the map.
	Labels map[string]Number `json:"labels"`
	// Versions is the number of versions, without those that are deleted.
	Versions int `json:"versions"`
	// Revision is the revision of the last commit that changed the prompt, and UpdatedAt
	// its time. Both are zero in an answer about a past state of a prompt that has changed
	// since.
	Revision  uint64    `json:"revision,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// AsOf is the revision of the state that the head shows.
	AsOf uint64 `json:"as_of,omitempty"`
}

// A Move is one move of a label: where it came from, where it went, who moved
// it, when and why.
type Move struct {
	Revision uint64    `json:"revision"`
	From     Number    `json:"from,omitzero"` // zero if the label was on no version
	To       Number    `json:"to,omitzero"`   // zero if it was removed
	Author   string    `json:"author,omitempty"`
	Message  string    `json:"message,omitempty"`
	Time     time.Time `json:"time"`
}
