package stet

import (
	"time"

	"github.com/stet-dev/stet/internal/plainjson"
)

// The times of all JSON that stet writes have the form of FormatTime; a time.Time
// has another.

// MarshalJSON returns the head as one JSON object.
func (h Head) MarshalJSON() ([]byte, error) {
	return plainjson.Marshal(struct {
		PromptID  string            `json:"prompt_id"`
		Latest    Number            `json:"latest"`
		Current   Number            `json:"current"`
		Labels    map[string]Number `json:"labels"`
		Versions  int               `json:"versions"`
		Revision  uint64            `json:"revision,omitempty"`
		CreatedAt string            `json:"created_at,omitempty"`
		UpdatedAt string            `json:"updated_at,omitempty"`
		AsOf      uint64            `json:"as_of,omitempty"`
	}{h.PromptID, h.Latest, h.Current, h.Labels, h.Versions, h.Revision, formatTime(h.CreatedAt), formatTime(h.UpdatedAt), h.AsOf})
}

// MarshalJSON returns the move as one JSON object.
func (m Move) MarshalJSON() ([]byte, error) {
	return plainjson.Marshal(struct {
		Revision uint64 `json:"revision"`
		From     Number `json:"from,omitzero"`
		To       Number `json:"to,omitzero"`
		Author   string `json:"author,omitempty"`
		Message  string `json:"message,omitempty"`
		Time     string `json:"time"`
	}{m.Revision, m.From, m.To, m.Author, m.Message, FormatTime(m.Time)})
}

// MarshalJSON returns the answer as one JSON object.
func (d Done) MarshalJSON() ([]byte, error) {
	return plainjson.Marshal(struct {
		ID       string   `json:"id"`
		Revision uint64   `json:"revision"`
		Time     string   `json:"time"`
		Replayed bool     `json:"replayed,omitempty"`
		Results  []Result `json:"results"`
	}{d.ID, d.Revision, FormatTime(d.Time), d.Replayed, d.Results})
}

// formatTime is FormatTime, and "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return FormatTime(t)
}
