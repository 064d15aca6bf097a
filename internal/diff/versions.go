package diff

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/plainjson"
)

// A Part is something of which two versions are compared: their texts, or their
// settings.
type Part struct{ OldName, NewName, Before, After string }

// Unified returns the unified diff of the part, "" if there is none.
func (p Part) Unified() string { return Unified(p.OldName, p.NewName, p.Before, p.After) }

// Parts returns what of two versions is compared: the text, or the messages with
// each under its role, and then type, template, config and metadata as JSON.
func Parts(from, to stet.Version) []Part {
	before, after := plain(from.Content(), false), plain(to.Content(), false)
	if before == after && from.Content().Messages() != to.Content().Messages() {
		before, after = plain(from.Content(), true), plain(to.Content(), true)
	}
	return []Part{
		{from.Ref(), to.Ref(), before, after},
		{from.Ref() + " (settings)", to.Ref() + " (settings)", settings(from), settings(to)},
	}
}

// Versions returns the unified diff of all parts of two versions, "" if they are
// equal.
func Versions(from, to stet.Version) string {
	var b strings.Builder
	for _, p := range Parts(from, to) {
		b.WriteString(p.Unified())
	}
	return b.String()
}

// plain returns a text as it is, and a chat as a text in which each message with
// nothing but a role and a string stands under its role; raw as JSON throughout.
func plain(c content.Content, raw bool) string {
	if c.Type() != content.TypeChat {
		return c.Text()
	}
	var messages []map[string]json.RawMessage
	if raw || json.Unmarshal([]byte(c.Messages()), &messages) != nil {
		return indent(c.Messages())
	}
	var b strings.Builder
	for _, m := range messages {
		var role, text string
		if len(m) == 2 && json.Unmarshal(m["role"], &role) == nil && json.Unmarshal(m["content"], &text) == nil {
			b.WriteString("[" + role + "]\n" + text + "\n\n")
			continue
		}
		one, _ := plainjson.Marshal(m) // cannot fail: it was read just now
		b.WriteString(indent(string(one)) + "\n")
	}
	return b.String()
}

// settings returns what a version has beside its text.
func settings(v stet.Version) string {
	one, _ := plainjson.Marshal(struct { // cannot fail: the raw values are canonical JSON
		Type     string          `json:"type"`
		Template string          `json:"template"`
		Config   json.RawMessage `json:"config"`
		Metadata json.RawMessage `json:"metadata"`
	}{v.Type(), v.Content().Template(), json.RawMessage(v.Content().Config()), json.RawMessage(v.Metadata())})
	return indent(string(one))
}

func indent(s string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		return s
	}
	return b.String() + "\n"
}
