package stet

import "encoding/json"

// Values are what [Version.Render] fills in. Render does not change them.
type Values struct {
	// Variables maps each variable to its text. Names that are not variables of the
	// version are ignored, so that an application can pass the same map to every prompt.
	Variables map[string]string `json:"variables,omitempty"`
	// Placeholders maps each placeholder to a JSON list of messages, which may be empty and
	// must not contain placeholders. Other names are ignored.
	Placeholders map[string]json.RawMessage `json:"placeholders,omitempty"`
}
