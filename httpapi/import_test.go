package httpapi

import (
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/internal/transfer"
)

// TestImportWithAnotherKey: a line is imported once, whatever key it is sent with; and
// an id in the log that was made up for it does not make it pass for imported.
func TestImportWithAnotherKey(t *testing.T) {
	const first = `{"prompt_id":"in/i","text":"A"}
{"prompt_id":"in/i","text":"B"}
{"ops":[{"set_label":{"prompt_id":"in/i","label":"beta","version":"1.0.0"}}]}
{"prompt_id":"in/i","text":"A"}
`
	const more = first + `{"prompt_id":"in/i","text":"C"}
{"prompt_id":"in/j","text":"C"}
{"ops":[{"remove_label":{"prompt_id":"in/i","label":"beta"}}]}
`
	k := newKeyed(t, openMemory(t), Options{})
	if _, err := k.store.Save(t.Context(), stet.Draft{PromptID: "in/i", Text: "A"}); err != nil { // no line of the import
		t.Fatal(err)
	}
	run := func(key, lines string, want transfer.Summary) {
		t.Helper()
		store, err := k.store, error(nil)
		if key != "" {
			store, err = client.Open(t.Context(), k.url, &client.Options{Key: k.keys[key]})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
		}
		sum, err := transfer.Import(t.Context(), store, strings.NewReader(lines), transfer.ImportOptions{Keyed: key != ""})
		if err != nil || sum != want {
			t.Errorf("with the key %q: %+v, %v\nwant %+v", key, sum, err, want)
		}
	}
	run("writer", first, transfer.Summary{Lines: 4, Prompts: 1, Versions: 3, Changes: 1})
	run("writer", first, transfer.Summary{Lines: 4, Prompts: 1, Already: 3})
	run("admin", first, transfer.Summary{Lines: 4, Prompts: 1, Already: 3})
	run("", first, transfer.Summary{Lines: 4, Prompts: 1, Already: 3})
	gone, err := k.store.Get(t.Context(), "in/i@#2")
	if err != nil {
		t.Fatal(err)
	}
	k.commit(stet.Commit{Ops: []stet.Op{{Delete: &stet.Delete{PromptID: "in/i", Version: gone.Number().String()}}}})
	run("admin of *", more, transfer.Summary{Lines: 7, Prompts: 2, Versions: 2, Changes: 1, Already: 3})
	run("", more, transfer.Summary{Lines: 7, Prompts: 2, Already: 5})

	// What has the id of a line and is another commit.
	ids := make(map[string]bool)
	page, err := k.store.ChangesPage(t.Context(), 0, stet.ChangesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ch := range page.Items {
		if _, id, ok := strings.Cut(ch.ID, "/"); ok {
			ids[id] = true
		}
	}
	other := newKeyed(t, openMemory(t), Options{})
	other.commit(stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/i", Text: "A"}}}})
	for id := range ids {
		other.commit(stet.Commit{ID: "somebody/" + id, Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/i", Text: "not that"}}}})
	}
	k = other
	run("writer", first, transfer.Summary{Lines: 4, Prompts: 1, Versions: 3, Changes: 1})

	k = newKeyed(t, openMemory(t), Options{}) // first without a key
	run("", first, transfer.Summary{Lines: 4, Prompts: 1, Versions: 3, Changes: 1})
	run("writer", more, transfer.Summary{Lines: 7, Prompts: 2, Versions: 2, Changes: 1, Already: 3})
}
