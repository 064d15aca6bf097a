package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/memory"
)

// word stands in everything that the keys of the leak test may not see.
const word = "zebra"

// leakStore fills a store: in/* has nothing of the word, but for what commits
// that are also on out/* have left there.
func leakStore(t *testing.T, k *keyed) (revisions map[string]uint64) {
	save := func(id, text string, more ...func(*stet.Draft)) stet.Op {
		d := &stet.Draft{PromptID: id, Text: text}
		for _, m := range more {
			m(d)
		}
		return stet.Op{Save: d}
	}
	set := func(id, label, version string) stet.Op {
		return stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: label, Version: version}}
	}
	revisions = make(map[string]uint64)
	for _, c := range []stet.Commit{
		{ID: "inside", Message: "plain", Ops: []stet.Op{save("in/a", "one {{x}}"), save("in/a", "two"), set("in/a", "production", "1.0.0")}},
		{ID: "out-" + word, Author: word, Message: word, Ops: []stet.Op{
			save("out/"+word, word), save("out/plain", word, func(d *stet.Draft) { d.Labels, d.Metadata = []string{word}, []byte(`{"a":"`+word+`"}`) }),
			save("in"+word, word), save("in", word), save("in/a"[:2]+"/.."+word, "an inside id")}},
		{ID: "child", Message: "its parents are elsewhere", Ops: []stet.Op{save("in/child", "x", func(d *stet.Draft) { d.Parents = []string{"out/" + word + "@1.0.0", "in/a@1.0.0"} })}},
		{ID: "mixed-" + word, Message: "with " + word, Ops: []stet.Op{
			save("in/a", "three"), save("out/"+word, word+word), set("in/a", "production", "1.1.0"), set("out/plain", word, "1.0.0"),
			save("in/own", "x", func(d *stet.Draft) { d.Message = "its own message" })}},
		{ID: "gone-" + word, Message: word, Ops: []stet.Op{{Delete: &stet.Delete{PromptID: "out/" + word, Version: "1.0.0"}}}},
	} {
		for i := range c.Ops {
			if s := c.Ops[i].Save; s != nil && s.PromptID == "in/.."+word {
				c.Ops = append(c.Ops[:i], c.Ops[i+1:]...) // an id inside may not have the word
				break
			}
		}
		revisions[strings.SplitN(c.ID, "-", 2)[0]] = k.commit(c).Revision
	}
	return revisions
}

// TestLeaks asks every route, with keys that see a part, for what is inside,
// outside and nowhere, and looks for the word in every answer: status, headers and
// body.
func TestLeaks(t *testing.T) {
	for _, key := range []string{"reader", "writer", "promoter", "admin", "single"} {
		t.Run(key, func(t *testing.T) { leaks(t, key) })
	}
}

func leaks(t *testing.T, key string) {
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	k := newKeyed(t, store, Options{}, keys.Key{Name: "single", Role: keys.Admin, Prompts: []string{"in/a", "in/child", "in/own"}})
	revisions := leakStore(t, k)
	other := func(s string) string {
		return strings.NewReplacer("out/plain", "out/nothing", "out%2Fplain", "out%2Fnothing").Replace(s)
	}
	// The owner sees all of it: the word is there to be seen.
	for _, path := range []string{"/v1/prompts", "/v1/changes?texts=true", "/v1/prompts/in%2Fchild/versions/latest", "/v1/prompts/in%2Fa/labels/production", "/v1/prompts/in%2Fa/versions/1.2.0"} {
		if r := k.ask("admin of *", ask{method: "GET", path: path}); !strings.Contains(string(r.body), word) {
			t.Errorf("%s has not the word: %d %s", path, r.status, r.body)
		}
	}
	routes := make(map[string]bool)
	mux := http.NewServeMux()
	for _, r := range (&Server{o: Options{}, store: store}).patterns() {
		mux.HandleFunc(r, func(http.ResponseWriter, *http.Request) {})
		routes[r] = false
	}
	json := http.Header{"Content-Type": {"application/json"}}
	commit := func(id string, ops ...stet.Op) ask {
		return ask{method: "POST", path: "/v1/commits?versions=true", body: stet.Commit{ID: id, Ops: ops}}
	}
	asks := []ask{
		{method: "GET", path: "/v1/store"}, {method: "GET", path: "/healthz"}, {method: "GET", path: "/readyz"}, {method: "GET", path: "/metrics"}, {method: "GET", path: "/openapi.yaml"},
		{method: "GET", path: "/v1/prompts"}, {method: "GET", path: "/v1/prompts?limit=1"}, {method: "GET", path: "/v1/prompts?prefix=out/"}, {method: "GET", path: "/v1/prompts?prefix=i"},
		{method: "GET", path: "/v1/prompts?label=production"}, {method: "GET", path: fmt.Sprintf("/v1/prompts?at=%d", revisions["out"])},
		{method: "GET", path: "/v1/prompts?limit=1&cursor=bmV4dA"}, {method: "GET", path: "/v1/prompts?limit=1&cursor=next.b3V0"},
		{method: "GET", path: "/v1/changes"}, {method: "GET", path: "/v1/changes?texts=true"}, {method: "GET", path: "/v1/changes?texts=true&prefix=in/"},
		{method: "GET", path: "/v1/changes?texts=true&prefix=out/"}, {method: "GET", path: fmt.Sprintf("/v1/changes?since=%d&limit=1&texts=true", revisions["mixed"]-1)},
		{method: "POST", path: "/v1/verify"}, {method: "GET", path: "/v1/backup"}, {method: "GET", path: "/v1/export"},
		{method: "POST", path: "/v1/replay", body: copyOf(t, "in/new")},
		{method: "DELETE", path: "/v1/prompts", header: http.Header{"X-Confirm": {"clear"}, "Content-Type": json["Content-Type"]}},
		{method: "POST", path: "/v1/get", body: map[string]any{"refs": []string{"in/a", "in/child", "in/a@production", "in/own"}}},
		{method: "POST", path: "/v1/get", body: map[string]any{"refs": []string{"in/a", "out/plain"}}},
		commit("", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "x", Parents: []string{"out/plain@1.0.0"}}}),
		commit("", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "x", Parents: []string{"out/nothing@1.0.0"}}}),
		// Unchanged, it answers with the version that there is.
		commit("", stet.Op{Save: &stet.Draft{PromptID: "in/child", Text: "x", IfChanged: true}}),
		commit("", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "three", IfChanged: true}}),
		commit("once", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "x"}}),
		commit("once", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "x"}}),
		commit("once", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "y"}}),
		commit("inside", stet.Op{Save: &stet.Draft{PromptID: "in/a", Text: "y"}}),
		commit("", stet.Op{Delete: &stet.Delete{PromptID: "out/plain", Force: true}}),
		commit("", stet.Op{Rollback: &stet.Rollback{PromptID: "in/a"}}, stet.Op{Rollback: &stet.Rollback{PromptID: "out/plain"}}),
	}
	one := func(id string) []ask {
		return []ask{
			{method: "GET", path: pathOf(id, "")}, {method: "GET", path: pathOf(id, "/versions")}, {method: "GET", path: pathOf(id, "/versions?order=asc&limit=1")},
			{method: "GET", path: pathOf(id, "/versions/latest")}, {method: "GET", path: pathOf(id, "/versions/production")}, {method: "GET", path: pathOf(id, "/versions/%231")},
			{method: "GET", path: pathOf(id, "/versions/sha256:00000000")}, {method: "GET", path: pathOf(id, fmt.Sprintf("/versions/latest?at=%d", revisions["mixed"]))},
			{method: "GET", path: "/p/" + id + "@latest"}, {method: "GET", path: "/p/" + id + "@nothing"}, {method: "GET", path: pathOf(id, "/versions/9.9.9")},
			{method: "GET", path: pathOf(id, "/labels/production")}, {method: "GET", path: pathOf(id, "/labels/nothing")},
			{method: "GET", path: pathOf(id, "/diff?from=%231&to=latest")}, {method: "GET", path: pathOf(id, "/diff"), header: http.Header{"Accept": {"application/json"}}},
			{method: "POST", path: pathOf(id, "/versions/1.0.0/render"), body: map[string]any{}},
			{method: "POST", path: pathOf(id, "/versions/latest/render"), body: map[string]any{"variables": map[string]string{"x": "y"}}},
			{method: "POST", path: pathOf(id, "/versions"), body: map[string]any{"text": "n", "version": "1.0.0"}},
			{method: "POST", path: pathOf(id, "/versions"), body: map[string]any{"text": "n", "expect": "7.0.0"}},
			{method: "PUT", path: pathOf(id, "/labels/production"), body: map[string]any{"version": "1.0.0", "expect": "7.0.0"}},
			{method: "PUT", path: pathOf(id, "/labels/production"), body: map[string]any{"version": "nothing"}},
			{method: "PUT", path: pathOf(id, "/labels/production"), body: map[string]any{"version": "1.0.0"}, header: http.Header{"If-Match": {`"x.1.1"`}}},
			{method: "DELETE", path: pathOf(id, "/labels/nothing")}, {method: "POST", path: pathOf(id, "/labels/production/rollback")},
			{method: "DELETE", path: pathOf(id, "/versions/2.0.0")}, {method: "DELETE", path: pathOf(id, "/versions/1.1.0")}, {method: "DELETE", path: pathOf(id, "")},
			{method: "GET", path: "/v1/changes?texts=true&prefix=" + id},
		}
	}
	for _, id := range []string{"in/a", "in/child", "in/own", "in/nothing", "out/plain"} {
		asks = append(asks, one(id)...)
	}
	// What is different from request to request, and what names the prompt.
	varying := regexp.MustCompile(`(?m)^(Stet-Request-Id|Date|Content-Length): .*$`)
	tokens := regexp.MustCompile(`[A-Za-z0-9_-]{8,}`)
	show := func(r reply) string {
		var b strings.Builder
		fmt.Fprintln(&b, r.status)
		_ = r.header.Write(&b)
		text := varying.ReplaceAllString(b.String(), "") + string(r.body)
		for _, token := range tokens.FindAllString(text, -1) { // cursors
			if plain, err := base64.RawURLEncoding.DecodeString(token); err == nil {
				text += "\n" + string(plain)
			}
		}
		return text
	}
	stream := k.changesSince(key, 0, true)
	if strings.Contains(stream, word) || !strings.Contains(stream, `"in/child"`) {
		t.Errorf("the stream shows it, or nothing:\n%s", stream)
	}
	for _, a := range asks {
		if r := show(k.ask(key, a)); strings.Contains(r, word) {
			t.Errorf("%s %s %v shows it:\n%s", a.method, a.path, a.body, r)
		}
		req, err := http.NewRequest(a.method, a.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, pattern := mux.Handler(req)
		routes[pattern] = true
	}
	for _, a := range one("out/plain") {
		there := show(k.ask(key, a))
		a.path = other(a.path)
		if nowhere := show(k.ask(key, a)); other(there) != nowhere {
			t.Errorf("%s %s tells whether there is such a prompt:\n%s\n%s", a.method, a.path, there, nowhere)
		}
	}
	for pattern, asked := range routes {
		if !asked {
			t.Errorf("nothing was asked of %s", pattern)
		}
	}
}

// patterns are those of all routes.
func (s *Server) patterns() []string {
	s.setLimits()
	s.streams = newStreams(s.store)
	var all []string
	for _, r := range s.table() {
		all = append(all, r.method+" "+r.pattern)
	}
	return all
}

// TestHints: an error suggests a prompt only to a caller who may see every prompt. To
// others it suggests none, even if the nearest name is among their own.
func TestHints(t *testing.T) {
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	k := newKeyed(t, store, Options{})
	for _, id := range []string{"in/triage", "im/triages"} {
		k.commit(stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: id, Text: "x"}}}})
	}
	missing := "/v1/prompts/in%2Ftriages"
	for _, a := range []ask{
		{method: "GET", path: missing},
		{method: "GET", path: missing + "/versions/latest"},
		{method: "GET", path: missing + "/versions"},
		{method: "GET", path: missing + "/diff"},
		{method: "GET", path: "/p/in/triages"},
		{method: "POST", path: "/v1/get", body: []byte(`{"refs":["in/triages"]}`)},
		{method: "POST", path: missing + "/versions/latest/render", body: []byte(`{}`)},
		{method: "PUT", path: missing + "/labels/beta", body: []byte(`{"version":"1.0.0"}`)},
		{method: "POST", path: "/v1/commits", body: []byte(`{"ops":[{"set_label":{"prompt_id":"in/triages","label":"beta","version":"1.0.0"}}]}`)},
	} {
		all, some := k.ask("admin of *", a), k.ask("admin", a)
		if all.status != 404 || !strings.Contains(string(all.body), "Did you mean i") {
			t.Errorf("%s %s with a key for all: %d %s", a.method, a.path, all.status, all.body)
		}
		if some.status != 404 || strings.Contains(string(some.body), "mean") || !strings.Contains(string(some.body), "in/triages") {
			t.Errorf("%s %s with a key for some: %d %s", a.method, a.path, some.status, some.body)
		}
	}
}
