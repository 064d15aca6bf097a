package httpapi

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"

	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/memory"
	"github.com/stet-dev/stet/sqlite"
)

// TestContract compares the server with openapi.yaml: every exchange must be as
// documented, and by the end every documented answer of every operation must have
// occurred.
func TestContract(t *testing.T) {
	rules, err := newRulebook(contract)
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := rules.check.ValidateDocument(); !ok {
		t.Errorf("openapi.yaml is not an OpenAPI document: %v", errs)
	}
	start := func(t *testing.T, o Options) *peer {
		p := newPeer(t, nil, o)
		p.rules = rules
		return p
	}
	t.Run("routes", func(t *testing.T) { sameRoutes(t, start(t, Options{}), rules) })
	t.Run("life", func(t *testing.T) { promptLifecycle(t, start(t, Options{})) })
	t.Run("compressed", func(t *testing.T) { compressed(t, start(t, Options{})) })
	t.Run("whole store", func(t *testing.T) {
		ctx := context.Background()
		store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "stet.db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		p := newPeer(t, store, Options{tempDir: t.TempDir()})
		p.rules = rules
		wholeStore(t, p, start(t, Options{}))
	})
	t.Run("refused", func(t *testing.T) { refused(t, start, rules) })
	if !t.Failed() {
		for _, missing := range rules.missing() {
			t.Errorf("the contract documents %s, and no test has seen it", missing)
		}
	}
}

// sameRoutes: what is routed is documented, and what is documented is routed.
func sameRoutes(t *testing.T, p *peer, rules *rulebook) {
	var routed, documented []string
	for _, r := range p.api.table() {
		routed = append(routed, strings.Replace(r.method+" "+r.pattern, "...}", "}", 1))
	}
	rules.operations(func(method, path string, _ *v3.Operation) { documented = append(documented, method+" "+path) })
	slices.Sort(routed)
	slices.Sort(documented)
	if !slices.Equal(routed, documented) {
		t.Errorf("routed:\n%s\ndocumented:\n%s", strings.Join(routed, "\n"), strings.Join(documented, "\n"))
	}
}

// missing returns what is documented and was not seen.
func (b *rulebook) missing() (missing []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.operations(func(method, path string, o *v3.Operation) {
		look := func(code string, r *v3.Response) {
			key := method + " " + path + " " + code
			if orderedmap.Len(r.Content) == 0 {
				if !b.seen[key] {
					missing = append(missing, key)
				}
				return
			}
			for kind := range r.Content.KeysFromOldest() {
				if !b.seen[key+" "+kind] {
					missing = append(missing, key+" "+kind)
				}
			}
		}
		for code, r := range o.Responses.Codes.FromOldest() {
			look(code, r)
			if key := method + " " + path + " compressed"; code == "200" && compresses(r) && !b.seen[key] {
				missing = append(missing, key)
			}
		}
		if o.Responses.Default != nil {
			look("default", o.Responses.Default)
		}
	})
	return missing
}

// promptLifecycle does what happens to a prompt from first to last, each answer once.
func promptLifecycle(t *testing.T, p *peer) {
	const a = "/v1/prompts/support%2Ftriage"
	p.ok(201, "POST", a+"/versions", `{"text":"Hi {{name}}","labels":["production"]}`, "Idempotency-Key", "life-1", "Stet-Author", "Ana%20%C3%9C")
	p.ok(201, "POST", a+"/versions", `{"text":"Hi {{name}}","labels":["production"]}`, "Idempotency-Key", "life-1", "Stet-Author", "Ana%20%C3%9C")
	p.ok(201, "POST", a+"/versions", `{"prompt_id":"support/triage","text":"Hello {{name}}\n","config":{"model":"m"},"metadata":{"x":[1]},"message":"why"}`)
	p.ok(200, "POST", a+"/versions", `{"text":"Hello {{name}}\n","config":{"model":"m"},"if_changed":true}`)
	p.ok(409, "POST", a+"/versions", `{"text":"x","version":"1.0.0"}`)
	p.ok(404, "POST", a+"/versions", `{"text":"x","parents":["nobody@1.0.0"]}`)
	p.ok(201, "POST", "/v1/prompts/chat/versions", `{"messages":[{"role":"user","content":"{{q}}"},{"type":"placeholder","name":"history"}],"parents":["support/triage@1.0.0"]}`)

	for _, path := range []string{
		a + "/versions/latest", a + "/versions/%5E1", a + "/versions/%232", "/v1/prompts/chat/versions/latest", "/p/support/triage@production", "/p/chat",
		a + "/versions", a + "/versions?order=asc&limit=1", "/v1/prompts", "/v1/prompts?prefix=support%2F&label=production&limit=1", a,
		a + "/labels/production", a + "/diff?from=1.0.0&to=latest", "/v1/changes", "/v1/changes?since=1&texts=true",
	} {
		x := p.ok(200, "GET", path, "")
		p.ok(304, "GET", path, "", "If-None-Match", x.get("ETag"))
		p.ok(200, "GET", path, "", "If-None-Match", `"another"`)
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		p.ok(200, "GET", path+sep+"min_revision=1", "")
		p.ok(200, "HEAD", path, "")
	}
	for _, path := range []string{"/versions/7.0.0", "/versions/nobody", "/labels/nobody", "/diff?from=7.0.0"} {
		p.ok(404, "GET", a+path, "")
	}
	for _, path := range []string{"/v1/prompts/nobody", "/v1/prompts/nobody/versions", "/p/nobody", "/v1/prompts?at=99", "/v1/prompts/nobody/versions/latest?at=1"} {
		p.ok(404, "GET", path, "")
	}
	p.ok(200, "GET", a+"/versions/latest?at=1", "")
	p.ok(200, "GET", a+"/versions?at=1", "")
	p.ok(200, "GET", "/v1/prompts?at=1", "")
	p.ok(200, "GET", "/v1/prompts?limit=1", "")
	p.ok(200, "GET", a+"/labels/production?at="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "")
	p.ok(200, "GET", a+"/diff?from=1.0.0", "", "Accept", "application/json")
	p.ok(200, "POST", "/v1/get", `{"refs":["support/triage","chat@latest"]}`)
	p.ok(200, "POST", "/v1/get?at=1", `{"refs":[]}`)
	p.ok(404, "POST", "/v1/get", `{"refs":["support/triage","nobody"]}`)
	p.ok(200, "POST", a+"/versions/latest/render", `{"variables":{"name":"Ana"}}`)
	p.ok(200, "POST", "/v1/prompts/chat/versions/latest/render?min_revision=1", `{"variables":{"q":"?"},"placeholders":{"history":[]}}`)

	at := p.ok(200, "GET", a+"/versions/production", "").get("ETag")
	label := a + "/labels/production"
	p.ok(200, "PUT", label, `{"version":"latest","expect":"1.0.0"}`, "Idempotency-Key", "life-5")
	p.ok(412, "PUT", label, `{"version":"1.0.0"}`, "If-Match", at)
	p.ok(409, "PUT", label, `{"version":"1.0.0","expect":"1.0.0"}`)
	p.ok(404, "PUT", label, `{"version":"7.0.0"}`)
	p.ok(412, "POST", label+"/rollback", ``, "If-Match", at)
	p.ok(409, "POST", label+"/rollback", `{"expect":"1.0.0"}`)
	p.ok(200, "POST", label+"/rollback", ``, "Idempotency-Key", "life-2", "Stet-Message", "oops")
	p.ok(404, "POST", a+"/labels/staging/rollback", ``)
	p.ok(409, "DELETE", a+"/versions/1.0.0", "")
	p.ok(409, "DELETE", a, "")
	p.ok(412, "DELETE", label, "", "If-None-Match", "*")
	p.ok(409, "DELETE", label, `{"expect":"7.0.0"}`)
	p.ok(200, "DELETE", label, "", "If-Match", "*", "Idempotency-Key", "life-6")
	p.ok(404, "DELETE", label, "")
	p.ok(204, "DELETE", a+"/versions/1.0.0?force=true", "")
	p.ok(204, "DELETE", a, "")
	// Sent again, they are done, and there is no head any more.
	p.ok(204, "PUT", label, `{"version":"latest","expect":"1.0.0"}`, "Idempotency-Key", "life-5")
	p.ok(204, "POST", label+"/rollback", ``, "Idempotency-Key", "life-2", "Stet-Message", "oops")
	p.ok(204, "DELETE", label, "", "If-Match", "*", "Idempotency-Key", "life-6")

	p.ok(200, "POST", "/v1/commits?versions=true", `{"id":"life-3","message":"all","ops":[
		{"save":{"prompt_id":"b","text":"1","labels":["x-y"]}},{"save":{"prompt_id":"b","text":"1","if_changed":true}},{"save":{"prompt_id":"b","text":"2"}},
		{"set_label":{"prompt_id":"b","label":"production","version":"1.0.0","expect":""}},{"set_label":{"prompt_id":"b","label":"production","version":"latest"}},
		{"rollback":{"prompt_id":"b"}},{"remove_label":{"prompt_id":"b","label":"x-y"}},{"delete":{"prompt_id":"b","version":"1.0.0","force":true}}]}`)
	p.ok(200, "POST", "/v1/commits", `{"ops":[{"delete":{"prompt_id":"nobody"}}]}`, "Idempotency-Key", "life-4")
	p.ok(409, "POST", "/v1/commits", `{"ops":[{"clear":{}}]}`, "Idempotency-Key", "life-4")
	p.ok(404, "POST", "/v1/commits", `{"ops":[{"rollback":{"prompt_id":"nobody"}}]}`)

	p.ok(200, "GET", "/v1/changes", "")
	p.ok(200, "GET", "/v1/changes?since=1&limit=2&texts=true&prefix=b", "")
	p.ok(200, "GET", "/v1/changes?since=0", "", "Accept", "text/event-stream")
	p.ok(404, "GET", "/v1/changes?since=99999", "")
	p.ok(409, "GET", "/v1/changes?since=another.1", "")
	p.ok(409, "DELETE", a, "", "Idempotency-Key", "life-4")
	p.ok(409, "DELETE", "/v1/prompts", "", "X-Confirm", "clear", "Idempotency-Key", "life-4")
	p.ok(204, "DELETE", "/v1/prompts", "", "X-Confirm", "clear")
	p.ok(200, "GET", "/v1/store", "")
	p.ok(200, "GET", "/healthz", "")
	p.ok(200, "GET", "/readyz", "")
	p.ok(200, "GET", "/metrics", "")
	p.ok(200, "GET", "/openapi.yaml", "")
	p.api.Drain()
	p.ok(503, "GET", "/readyz", "")
}

// compressed asks for large answers in each coding, and again with the tag of each.
func compressed(t *testing.T, p *peer) {
	const a = "/v1/prompts/a"
	long := func(word string) string { return strings.Repeat(word+" ", minCompress) }
	var labels []string
	for i := range 95 {
		labels = append(labels, fmt.Sprintf(`"a-long-name-of-a-label-%d"`, i))
	}
	why := strings.Repeat("w", minCompress)
	p.ok(201, "POST", a+"/versions", `{"text":"`+long("one")+`","labels":[`+strings.Join(labels, ",")+`]}`, "Stet-Message", why)
	p.ok(201, "POST", a+"/versions", `{"text":"`+long("two")+`"}`)
	p.ok(200, "PUT", a+"/labels/production", `{"version":"1.0.0"}`, "Stet-Message", why)
	for _, path := range []string{
		a + "/versions/latest", a + "/versions", "/p/a@latest", "/v1/prompts", a, a + "/labels/production", a + "/diff?from=1.0.0&to=latest",
		"/v1/changes", "/v1/changes?texts=true&since=1", "/v1/changes?wait=1&since=0&texts=true", "/v1/export", "/openapi.yaml",
	} {
		for _, coding := range []string{"gzip", "zstd"} {
			x := p.ok(200, "GET", path, "", "Accept-Encoding", coding)
			if etag := x.get("ETag"); strings.Contains(path, "wait=") != (etag == "") && path[1] != 'o' && path != "/v1/export" {
				t.Errorf("%s has the tag %q", path, etag)
			} else if etag != "" {
				p.ok(304, "GET", path, "", "Accept-Encoding", coding, "If-None-Match", etag)
			}
		}
	}
	p.ok(200, "POST", "/v1/get", `{"refs":["a"]}`, "Accept-Encoding", "gzip")
}

// wholeStore takes a store from one server to another.
func wholeStore(t *testing.T, p, to *peer) {
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1","labels":["production"]}`)
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"messages":[{"role":"user","content":"2"}]}`)
	p.ok(204, "DELETE", "/v1/prompts/a/versions/1.0.0?force=true", "")
	x := p.ok(200, "GET", "/v1/backup", "")
	if x.get("Stet-Revision") != "3" || !strings.HasPrefix(x.body, "SQLite format 3") {
		t.Errorf("the backup is %.20q of revision %s", x.body, x.get("Stet-Revision"))
	}
	report := p.ok(200, "POST", "/v1/verify", `{"expect":"`+x.get("Stet-Hash")+`"}`).json()
	if n := len(report["problems"].([]any)); n != 0 {
		t.Errorf("the store is not sound: %v", report)
	}
	if n := len(p.ok(200, "POST", "/v1/verify", `{"expect":"`+strings.Repeat("1", 64)+`"}`).json()["problems"].([]any)); n != 1 {
		t.Errorf("a hash that is nowhere is %d problems", n)
	}
	p.ok(200, "POST", "/v1/verify", "")
	lines := strings.Split(strings.TrimSpace(p.ok(200, "GET", "/v1/export", "").body), "\n")
	changes := lines[1 : len(lines)-1]
	replay := func(lines ...string) (replayed []bool, stopped any) {
		answer := to.ok(200, "POST", "/v1/replay", strings.Join(lines, "\n")+"\n", "Content-Type", "application/x-ndjson").json()
		for _, done := range answer["commits"].([]any) {
			replayed = append(replayed, done.(map[string]any)["replayed"] == true)
		}
		return replayed, answer["stopped"]
	}
	if got, stopped := replay(changes[0], changes[0], "{}", changes[1]); !slices.Equal(got, []bool{false, true}) || !strings.Contains(fmt.Sprint(stopped), "invalid") {
		t.Errorf("of a change, the same, a line that is none and another: %v, stopped: %v", got, stopped)
	}
	if got, stopped := replay(changes[0], strings.Replace(changes[0], `"id":"`, `"id":"another-`, 1), changes[1]); !slices.Equal(got, []bool{true}) || !strings.Contains(fmt.Sprint(stopped), "conflict") {
		t.Errorf("with one between that does not fit: %v, stopped: %v", got, stopped)
	}
	if got, stopped := replay(changes...); !slices.Equal(got, []bool{true, false, false}) || stopped != nil {
		t.Errorf("of all changes: %v, stopped: %v", got, stopped)
	}
	to.ok(409, "POST", "/v1/replay", strings.Replace(lines[1], `"id":"`, `"id":"another-`, 1))
	from, got := p.ok(200, "GET", "/v1/prompts/a/versions/latest", "").body, to.ok(200, "GET", "/v1/prompts/a/versions/latest", "").body
	if from != got {
		t.Errorf("%s\nis there now\n%s", from, got)
	}
}

// example fills the path of an operation in.
func example(path string) string {
	return strings.NewReplacer("{id}", "a%2Fb", "{selector}", "1.0.0", "{label}", "production", "{ref}", "a/b@latest").Replace(path)
}

// refused makes, for each operation that documents it, the request that is
// refused so.
func refused(t *testing.T, start func(*testing.T, Options) *peer, rules *rulebook) {
	p := start(t, Options{MaxBody: 300})
	locked := start(t, Options{Keys: ring(t)})
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
	closed := newPeer(t, store, Options{})
	closed.rules = rules
	rules.operations(func(method, path string, o *v3.Operation) {
		at := example(path)
		body := ""
		if o.RequestBody != nil {
			body = "{}"
		}
		var confirm []string
		if method == "DELETE" && path == "/v1/prompts" {
			confirm = []string{"X-Confirm", "clear"}
		}
		for code := range o.Responses.Codes.KeysFromOldest() {
			switch code {
			case "400":
				p.ok(400, method, at+"?nonsense=1", body, confirm...)
			case "401":
				locked.ok(401, method, at, body, confirm...)
			case "403":
				p.ok(403, method, at, body, append(confirm, "Host", "attacker.example")...)
			case "404":
				if method == "GET" && path != "/v1/prompts" && path != "/v1/changes" || path == "/v1/prompts/{id}/versions/{selector}/render" {
					p.ok(404, method, at, body)
				}
			case "406":
				p.ok(406, method, at, body, append(confirm, "Accept", "image/png")...)
			case "413":
				if method == "DELETE" && !strings.Contains(path, "/labels/") { // which takes no body
					p.ok(413, method, at, "", append(confirm, "Stet-Author", strings.Repeat("x", 300))...)
					continue
				}
				p.ok(413, method, at, `{"x":"`+strings.Repeat("x", 300)+`"}`)
			case "415":
				p.ok(415, method, at, "<xml/>", "Content-Type", "text/xml")
			}
		}
		switch path {
		case "/healthz", "/readyz", "/metrics", "/openapi.yaml":
			p.ok(403, method, at, "", "Host", "attacker.example")
		default: // none of them answers from a store that is closed
			sep := ""
			if documents(nil, o, "query", "min_revision") {
				sep = "?min_revision=1"
			}
			closed.ok(503, method, at+sep, bodyFor(method+" "+path, body), confirm...)
		}
	})
	p.ok(404, "GET", "/v1/prompts?at=99", "")
}

// bodyFor is a body that is good for an operation.
func bodyFor(operation, body string) string {
	switch operation {
	case "POST /v1/get":
		return `{"refs":["a"]}`
	case "POST /v1/prompts/{id}/versions":
		return `{"text":"x"}`
	case "PUT /v1/prompts/{id}/labels/{label}":
		return `{"version":"1.0.0"}`
	case "POST /v1/commits":
		return `{"ops":[{"save":{"prompt_id":"a","text":"x"}}]}`
	case "POST /v1/replay":
		return `{"revision":1,"id":"x","time":"2026-01-01T00:00:00Z","ops":[{"delete":{"prompt_id":"a","deleted":0}}]}`
	}
	return body
}

// ring is a key ring with one admin.
func ring(t *testing.T) *keys.Ring {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if _, err := keys.EnsureAdmin(context.Background(), path, time.Now()); err != nil {
		t.Fatal(err)
	}
	r, err := keys.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
