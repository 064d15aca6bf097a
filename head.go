package stet

import (
	"time"
)

// A Head is what changes about a prompt.
type Head struct {
	PromptID string `json:"prompt_id"`
	// Latest is the highest release, or the highest pre-release if there is none.
	Latest Number `json:"latest"`
	// Current is what a caller gets who names no selector.
	Current Number `json:"current"`
	// Labels maps each label to its version. The map is the caller's own.
	Labels map[string]Number `json:"labels"`
	// Versions is how many versions live.
	Versions int `json:"versions"`
	// Revision is the revision of the last commit that changed the prompt, and
	// UpdatedAt its time. Of a past state that was changed since they are not
	// told: 0 and the zero time.
	Revision  uint64    `json:"revision,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// AsOf is the revision that the answer is of.
	AsOf uint64 `json:"as_of,omitempty"`
}

// A Move is one move of a label: where it came from, where it went, who moved
// it, when and why.
type Move struct {
	Revision uint64    `json:"revision"`
	From     Number    `json:"from,omitzero"` // zero where the label was on no version
	To       Number    `json:"to,omitzero"`   // zero where it was removed
	Author   string    `json:"author,omitempty"`
	Message  string    `json:"message,omitempty"`
	Time     time.Time `json:"time"`
}
