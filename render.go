package stet

import "encoding/json"

// Values are what [Version.Render] fills in. It only reads them.
type Values struct {
	// Variables gives each variable its text. Names that are not variables of
	// the content are ignored, so that an application can give all it knows to
	// every prompt.
	Variables map[string]string `json:"variables,omitempty"`
	// Placeholders gives each placeholder a JSON list of messages, which may
	// be empty and may hold no placeholders. Other names are ignored.
	Placeholders map[string]json.RawMessage `json:"placeholders,omitempty"`
}
