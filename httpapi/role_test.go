package httpapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/transfer"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// labels are those that the prompts of the table have.
var tableLabels = []string{"staging", "beta", "locked", "production"}

// prompt makes a prompt with three versions; with labels, all are at the second
// and were at the first before.
func (k *keyed) prompt(area string, labels bool) string {
	k.n++
	id := fmt.Sprintf("%s/%d", area, k.n)
	c := stet.Commit{}
	save := func(n string) {
		c.Ops = append(c.Ops, stet.Op{Save: &stet.Draft{PromptID: id, Version: n, Text: "version " + n}})
	}
	set := func(n string) {
		for _, l := range tableLabels {
			if labels {
				c.Ops = append(c.Ops, stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: l, Version: n}})
			}
		}
	}
	save("1.0.0")
	set("1.0.0")
	save("1.1.0")
	set("1.1.0")
	save("1.2.0")
	k.commit(c)
	return id
}

func pathOf(id, rest string) string { return "/v1/prompts/" + url.PathEscape(id) + rest }

// A change of the table is an operation that may be in a commit.
type tableChange struct {
	bare    bool // the prompt has no labels
	free    bool // nothing is protected there
	op      func(id string) stet.Op
	direct  func(id string) ask
	variant func(id string) []stet.Op // other forms of it
}

func tableChanges(k *keyed) map[string]tableChange {
	m := map[string]tableChange{
		"save": {
			op: func(id string) stet.Op { return stet.Op{Save: &stet.Draft{PromptID: id, Text: "new"}} },
			direct: func(id string) ask {
				return ask{method: "POST", path: pathOf(id, "/versions"), body: map[string]any{"text": "new"}}
			},
			variant: func(id string) []stet.Op {
				return []stet.Op{{Save: &stet.Draft{PromptID: id, Text: "version 1.2.0", IfChanged: true}}}
			},
		},
		"delete a version": {
			op:     func(id string) stet.Op { return stet.Op{Delete: &stet.Delete{PromptID: id, Version: "1.2.0"}} },
			direct: func(id string) ask { return ask{method: "DELETE", path: pathOf(id, "/versions/1.2.0")} },
		},
		"delete a prompt": {
			bare:   true,
			op:     func(id string) stet.Op { return stet.Op{Delete: &stet.Delete{PromptID: id}} },
			direct: func(id string) ask { return ask{method: "DELETE", path: pathOf(id, "")} },
		},
	}
	for name, free := range map[string]bool{"delete by force, nothing protected": true, "delete by force, a label protected": false} {
		m[name] = tableChange{
			free: free,
			op: func(id string) stet.Op {
				return stet.Op{Delete: &stet.Delete{PromptID: id, Version: "1.1.0", Force: true}}
			},
			direct: func(id string) ask { return ask{method: "DELETE", path: pathOf(id, "/versions/1.1.0?force=true")} },
			// Also where no label points: one could by the time it is done.
			variant: func(id string) []stet.Op {
				return []stet.Op{{Delete: &stet.Delete{PromptID: id, Force: true}}, {Delete: &stet.Delete{PromptID: id, Version: "1.2.0", Force: true}}}
			},
		}
	}
	for _, l := range tableLabels {
		m["save, with the label "+l] = tableChange{
			op: func(id string) stet.Op {
				return stet.Op{Save: &stet.Draft{PromptID: id, Text: "new", Labels: []string{l}}}
			},
			direct: func(id string) ask {
				return ask{method: "POST", path: pathOf(id, "/versions"), body: map[string]any{"text": "new", "labels": []string{l}}}
			},
			// Also where nothing is added and only labels move.
			variant: func(id string) []stet.Op {
				return []stet.Op{{Save: &stet.Draft{PromptID: id, Text: "version 1.2.0", IfChanged: true, Labels: []string{"other", l}}}}
			},
		}
		m["set the label "+l] = tableChange{
			op: func(id string) stet.Op {
				return stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: l, Version: "1.2.0"}}
			},
			direct: func(id string) ask {
				return ask{method: "PUT", path: pathOf(id, "/labels/"+l), body: map[string]any{"version": "latest"}}
			},
		}
		m["remove the label "+l] = tableChange{
			op:     func(id string) stet.Op { return stet.Op{RemoveLabel: &stet.RemoveLabel{PromptID: id, Label: l}} },
			direct: func(id string) ask { return ask{method: "DELETE", path: pathOf(id, "/labels/"+l)} },
		}
		m["roll back the label "+l] = tableChange{
			op:     func(id string) stet.Op { return stet.Op{Rollback: &stet.Rollback{PromptID: id, Label: l}} },
			direct: func(id string) ask { return ask{method: "POST", path: pathOf(id, "/labels/"+l+"/rollback")} },
			variant: func(id string) []stet.Op {
				if l == "production" {
					return []stet.Op{{Rollback: &stet.Rollback{PromptID: id}}}
				}
				return nil
			},
		}
	}
	return m
}

// change checks a cell of an operation.
func (k *keyed) change(key string, c tableChange, marks []rune) {
	k.t.Helper()
	area := map[bool]string{false: "/guarded", true: "/free"}[c.free]
	in := func() string { return k.prompt("in"+area, !c.bare) }
	out := func() string { return k.prompt("out"+area, !c.bare) }
	commit := func(ops ...stet.Op) ask { return ask{method: "POST", path: "/v1/commits", body: stet.Commit{Ops: ops}} }
	for i, where := range []func() string{in, out} {
		k.changes(key, c.direct(where()), marks[i], -1)
		k.changes(key, commit(c.op(where())), marks[i], 0)
		if c.variant != nil {
			for n := range c.variant("") {
				k.changes(key, commit(c.variant(where())[n]), marks[i], 0)
			}
		}
	}
	// The first operation that is not allowed is the one that is named.
	allowed := marks[0] == '✓'
	second := 0
	if allowed {
		second = 1
	}
	k.changes(key, commit(c.op(in()), c.op(out())), marks[2], second)
	k.changes(key, commit(c.op(out()), c.op(in())), marks[2], 0)
}

// changes makes a request that changes something, and checks that it is done or
// refused as a mark says.
func (k *keyed) changes(key string, a ask, mark rune, op int) {
	k.t.Helper()
	before := k.revision()
	r := k.ask(key, a)
	body, _ := json.Marshal(a.body)
	what := fmt.Sprintf("%s %s %s", a.method, a.path, body)
	switch mark {
	case '✓':
		if r.status/100 != 2 || k.revision() != before+1 {
			k.t.Errorf("%s is not done: %d %s", what, r.status, r.body)
			return
		}
		page, err := k.store.ChangesPage(k.t.Context(), before, stet.ChangesOptions{})
		if err != nil {
			k.t.Fatal(err)
		}
		if ch := page.Items[0]; ch.Author != key || !strings.HasPrefix(ch.ID, k.id(key)+"/") {
			k.t.Errorf("%s: its author is %q and its id %q", what, ch.Author, ch.ID)
		}
	case '–':
		if r.status != 403 || r.code != "forbidden" || r.op != op || k.revision() != before {
			k.t.Errorf("%s is not refused, or not for operation %d: %d %s", what, op, r.status, r.body)
		}
	default:
		k.t.Fatalf("a mark %c", mark)
	}
}

// reads are the rows of what reads one prompt.
var tableReads = map[string]func(id string) ask{
	"get a version": func(id string) ask { return ask{method: "GET", path: pathOf(id, "/versions/latest")} },
	"get a text":    func(id string) ask { return ask{method: "GET", path: "/p/" + id + "@production"} },
	"head":          func(id string) ask { return ask{method: "GET", path: pathOf(id, "")} },
	"list versions": func(id string) ask { return ask{method: "GET", path: pathOf(id, "/versions")} },
	"history":       func(id string) ask { return ask{method: "GET", path: pathOf(id, "/labels/locked")} },
	"diff":          func(id string) ask { return ask{method: "GET", path: pathOf(id, "/diff?from=1.0.0&to=1.1.0")} },
	"render": func(id string) ask {
		return ask{method: "POST", path: pathOf(id, "/versions/latest/render"), body: map[string]any{}}
	},
}

// shows checks that a request is answered, or refused as forbidden.
func (k *keyed) shows(key string, a ask, mark rune, op int) {
	k.t.Helper()
	r := k.ask(key, a)
	if mark == '✓' && r.status != 200 || mark == '–' && (r.status != 403 || r.code != "forbidden" || r.op != op) {
		k.t.Errorf("%s %s: %d %s, and the table has %c", a.method, a.path, r.status, r.body, mark)
	}
}

// part checks what is shown of two things in a text: of the inside and the outside.
func (k *keyed) part(what, text, inside, outside string, mark rune) {
	k.t.Helper()
	in, out := strings.Contains(text, inside), strings.Contains(text, outside)
	want := map[rune][2]bool{'✓': {true, true}, '◐': {true, false}, '–': {false, false}}[mark]
	if in != want[0] || out != want[1] {
		k.t.Errorf("%s shows the inside: %v, the outside: %v, and the table has %c: %s", what, in, out, mark, text)
	}
}

func (k *keyed) listPrompts(key string, marks []rune) {
	k.t.Helper()
	in, out := k.prompt("in/list", true), k.prompt("out/list", true)
	list := func(query string) string {
		all := ""
		for cursor := ""; ; {
			r := k.ask(key, ask{method: "GET", path: "/v1/prompts?limit=1000" + query + cursor})
			if r.status != 200 {
				k.t.Fatalf("%d %s", r.status, r.body)
			}
			all += string(r.body)
			var page struct{ Next string }
			if err := json.Unmarshal(r.body, &page); err != nil {
				k.t.Fatal(err)
			}
			if page.Next == "" {
				return all
			}
			cursor = "&cursor=" + url.QueryEscape(page.Next)
		}
	}
	quote := func(id string) string { return `"` + id + `"` }
	k.part("the list", list("&prefix="+url.QueryEscape(in)), quote(in), quote(in), marks[0])
	k.part("the list", list("&prefix="+url.QueryEscape(out)), quote(out), quote(out), marks[1])
	k.part("the list", list(""), quote(in), quote(out), marks[2])
}

func (k *keyed) seesChanges(key string, marks []rune, stream bool) {
	k.t.Helper()
	in, out := k.prompt("in/changes", false), k.prompt("out/changes", false)
	save := func(id string) stet.Op { return stet.Op{Save: &stet.Draft{PromptID: id, Text: "more"}} }
	for i, ops := range [][]stet.Op{{save(in)}, {save(out)}, {save(in), save(out)}} {
		since := k.revision()
		done := k.commit(stet.Commit{Message: "MESSAGE-OF-ALL", Ops: ops})
		text := k.changesSince(key, since, stream)
		of := func(id string) string { return `"prompt_id":"` + id + `"` }
		inside, outside := of(in), of(out)
		switch i {
		case 0:
			outside = inside
		case 1:
			inside = outside
		}
		k.part("changes", text, inside, outside, marks[i])
		hash, _ := json.Marshal(done.ID)
		k.part("the changes' message", text, "MESSAGE-OF-ALL", "MESSAGE-OF-ALL", map[rune]rune{'✓': '✓', '–': '–', '◐': '–'}[marks[i]])
		k.part("the changes' id", text, string(hash), string(hash), map[rune]rune{'✓': '✓', '–': '–', '◐': '–'}[marks[i]])
	}
}

// changesSince returns the changes after a revision as a key gets them.
func (k *keyed) changesSince(key string, since uint64, stream bool) string {
	k.t.Helper()
	path := fmt.Sprintf("/v1/changes?texts=true&since=%d", since)
	if !stream {
		return string(k.ask(key, ask{method: "GET", path: path}).body)
	}
	res := k.send(key, ask{method: "GET", path: path + "&beat=1", header: http.Header{"Accept": {"text/event-stream"}}})
	defer res.Body.Close()
	// A beat has the position of the stream.
	text := ""
	for lines := bufio.NewReader(res.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			k.t.Fatal(err)
		}
		text += line
		var beat struct {
			AsOf     uint64 `json:"as_of"`
			Revision uint64
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(data), &beat); err != nil {
				k.t.Fatal(err)
			}
			if max(beat.AsOf, beat.Revision) >= k.revision() {
				return text
			}
		}
	}
}

func (k *keyed) whole(key, row string, mark rune) {
	k.t.Helper()
	a := map[string]ask{
		"clear":   {method: "DELETE", path: "/v1/prompts", header: http.Header{"X-Confirm": {"clear"}}},
		"verify":  {method: "POST", path: "/v1/verify"},
		"backup":  {method: "GET", path: "/v1/backup"},
		"export":  {method: "GET", path: "/v1/export"},
		"store":   {method: "GET", path: "/v1/store"},
		"metrics": {method: "GET", path: "/metrics"},
		"replay":  {method: "POST", path: "/v1/replay", body: copyOf(k.t, fmt.Sprintf("in/replayed/%d", k.n))},
	}
	k.n++
	switch row {
	case "clear":
		k.prompt("in", true) // so that there is something to clear
		k.changes(key, a[row], mark, -1)
		id := k.prompt("in", true)
		clear := stet.Op{Clear: &stet.Clear{}}
		k.changes(key, ask{method: "POST", path: "/v1/commits", body: stet.Commit{Ops: []stet.Op{clear}}}, mark, 0)
		get := tableReads["head"](id)
		if r := k.ask("admin of *", get); (r.status == 404) != (mark == '✓') {
			k.t.Errorf("after the clear: %d %s", r.status, r.body)
		}
	default:
		before := k.revision()
		k.shows(key, a[row], mark, -1)
		if (k.revision() > before) != (row == "replay" && mark == '✓') {
			k.t.Errorf("%s changed something, or did not", row)
		}
	}
}

// copyOf returns a line of an export that has a save of a prompt.
func copyOf(t *testing.T, id string) []byte {
	t.Helper()
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Save(t.Context(), stet.Draft{PromptID: id, Text: "copied"}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := transfer.Export(t.Context(), s, &b, nil); err != nil {
		t.Fatal(err)
	}
	return bytes.Split(b.Bytes(), []byte("\n"))[1]
}

// TestRoles checks every cell of the table.
func TestRoles(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "stet.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	k := newKeyed(t, store, Options{})
	t.Cleanup(func() { store.Close() })
	changes := tableChanges(k)
	columns, rows := parseTable(t, roles)
	done := make(map[string]bool)
	for _, row := range rows {
		name := row[0]
		for i, key := range columns[1:] {
			marks := []rune(row[i+1])
			t.Run(name+"/"+key, func(t *testing.T) {
				k.t = t
				c, isChange := changes[name]
				read := tableReads[name]
				switch {
				case isChange:
					k.change(key, c, marks)
				case name == "save, with parents":
					k.saveWithParents(key, marks)
				case read != nil:
					k.shows(key, read(k.prompt("in", true)), marks[0], -1)
					k.shows(key, read(k.prompt("out", true)), marks[1], -1)
					k.shows(key, read("out/nothing"), map[rune]rune{'✓': '?', '–': '–'}[marks[1]], -1)
				case name == "get many":
					k.getMany(key, marks)
				case name == "list prompts":
					k.listPrompts(key, marks)
				case strings.HasPrefix(name, "changes, "):
					k.seesChanges(key, marks, strings.HasSuffix(name, "stream"))
				case len(marks) == 1:
					k.whole(key, name, marks[0])
				default:
					t.Fatal("nothing checks this row")
				}
			})
		}
		done[name] = true
	}
	k.t = t
	for name := range changes {
		if !done[name] {
			t.Errorf("the table has no row for %q", name)
		}
	}
	for name := range tableReads {
		if !done[name] {
			t.Errorf("the table has no row for %q", name)
		}
	}
}

func (k *keyed) saveWithParents(key string, marks []rune) {
	k.t.Helper()
	in, out := k.prompt("in", false), k.prompt("out", false)
	for i, parents := range [][]string{{in + "@1.0.0"}, {out + "@1.0.0"}, {in + "@1.0.0", out + "@1.1.0"}} {
		id := k.prompt("in", false)
		k.changes(key, ask{method: "POST", path: pathOf(id, "/versions"), body: map[string]any{"text": "x", "parents": parents}}, marks[i], -1)
		k.changes(key, ask{method: "POST", path: "/v1/commits", body: stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: id, Text: "y", Parents: parents}}}}}, marks[i], 0)
	}
}

func (k *keyed) getMany(key string, marks []rune) {
	k.t.Helper()
	in, out := k.prompt("in", false), k.prompt("out", false)
	many := func(refs ...string) ask {
		return ask{method: "POST", path: "/v1/get", body: map[string]any{"refs": refs}}
	}
	k.shows(key, many(in, in+"@1.0.0"), marks[0], 0)
	k.shows(key, many(out), marks[1], 0)
	k.shows(key, many(in, out), marks[2], 1)
	k.shows(key, many(out, in), marks[2], 0)
}

// parseTable reads a Markdown table.
func parseTable(t *testing.T, table string) (columns []string, rows [][]string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		switch {
		case columns == nil:
			columns = cells
		case len(cells) != len(columns):
			t.Fatalf("a row has %d cells: %s", len(cells), line)
		case !strings.HasPrefix(cells[0], "--"):
			rows = append(rows, cells)
		}
	}
	return columns, rows
}

// TestRolesDocumented holds docs/keys.md to the table.
func TestRolesDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "keys.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "\n"+strings.TrimSpace(roles)+"\n") {
		t.Error("docs/keys.md does not have the table of role_table_test.go; copy it there")
	}
}
