package httpapi

import (
	"strings"
	"testing"
)

const (
	labelPath   = "/v1/prompts/a/labels/production"
	labelAtPath = "/v1/prompts/a/versions/production"
)

// TestConditions: a label moves under If-Match and If-None-Match only from where
// they say, and 412 changes nothing.
func TestConditions(t *testing.T) {
	p := newPeer(t, nil, Options{})
	for _, text := range []string{"1", "2", "3"} { // 1.0.0, 1.0.1, 1.0.2 or as the store says
		p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"`+text+`","bump":"minor"}`)
	}
	at := func(want string) {
		t.Helper()
		labels := p.ok(200, "GET", "/v1/prompts/a", "").json()["labels"].(map[string]any)
		if got, _ := labels["production"].(string); got != want {
			t.Errorf("production is at %q, not %q", got, want)
		}
	}
	refused := func(x *exchange) {
		t.Helper()
		if x.json()["code"] != "conflict" || x.json()["op"] != nil {
			t.Errorf("412 is %s", x.body)
		}
	}
	refused(p.ok(412, "PUT", labelPath, `{"version":"1.0.0"}`, "If-Match", "*"))
	refused(p.ok(412, "DELETE", labelPath, ``, "If-Match", "*"))
	refused(p.ok(412, "POST", labelPath+"/rollback", ``, "If-Match", "*"))
	at("")
	p.ok(200, "PUT", labelPath, `{"version":"1.0.0"}`, "If-None-Match", "*")
	refused(p.ok(412, "PUT", labelPath, `{"version":"1.1.0"}`, "If-None-Match", "*"))
	at("1.0.0")
	first := p.ok(200, "GET", labelAtPath, "").get("ETag")
	p.ok(200, "PUT", labelPath, `{"version":"1.1.0"}`, "If-Match", first)
	refused(p.ok(412, "PUT", labelPath, `{"version":"1.2.0"}`, "If-Match", first))
	refused(p.ok(412, "DELETE", labelPath, ``, "If-Match", first))
	at("1.1.0")
	second := p.ok(200, "GET", labelAtPath, "").get("ETag")
	for _, tag := range []string{second, strings.TrimSuffix(second, `"`) + `-gzip"`, strings.TrimSuffix(second, `"`) + `.text-zstd"`} {
		p.ok(200, "PUT", labelPath, `{"version":"1.1.0"}`, "If-Match", tag)
	}
	p.ok(200, "PUT", labelPath, `{"version":"1.2.0"}`, "If-Match", "*")
	moves := p.ok(200, "GET", labelPath, "").json()["moves"].([]any)
	if len(moves) != 3 {
		t.Errorf("a condition is a move: %v", moves)
	}
	p.ok(200, "POST", labelPath+"/rollback", ``, "If-Match", "*")
	at("1.1.0")
	for _, tag := range []string{`"another.1.1"`, `"x"`, "x", "W/" + second, strings.Replace(second, ".2.2", ".2.1", 1), strings.Replace(second, ".2.2", ".9.9", 1)} {
		refused(p.ok(412, "PUT", labelPath, `{"version":"1.2.0"}`, "If-Match", tag))
	}
	for _, headers := range [][]string{
		{"If-Match", first, "If-None-Match", "*"}, {"If-None-Match", second}, {"If-Match", first + ", " + second},
	} {
		p.ok(400, "PUT", labelPath, `{"version":"1.2.0"}`, headers...)
	}
	p.ok(400, "PUT", labelPath, `{"version":"1.2.0","expect":"1.1.0"}`, "If-Match", second)
	p.ok(404, "PUT", labelPath, `{"version":"9.0.0"}`, "If-Match", "*") // the condition holds
	at("1.1.0")

	// The version of the tag goes, and with it the condition can be met no more.
	p.ok(204, "DELETE", "/v1/prompts/a/versions/1.1.0?force=true", "")
	refused(p.ok(412, "PUT", labelPath, `{"version":"1.2.0"}`, "If-Match", second))
	at("")
	for _, r := range [][2]string{{"POST", "/v1/prompts/a/versions"}, {"POST", "/v1/commits"}, {"DELETE", "/v1/prompts/a"}, {"DELETE", "/v1/prompts/a/versions/1.0.0"}} {
		body := ""
		if r[0] == "POST" {
			body = "{}"
		}
		if x := p.ok(400, r[0], r[1], body, "If-Match", "*"); !strings.Contains(x.body, "If-Match") {
			t.Errorf("%v: %s", r, x.body)
		}
	}
}

// TestConditionalOnce: a move under a condition that is sent again with its id
// happens once, though the condition does not hold any more.
func TestConditionalOnce(t *testing.T) {
	p := newPeer(t, nil, Options{})
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1","labels":["production"]}`)
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"2"}`)
	first := p.ok(200, "GET", labelAtPath, "").get("ETag")
	for _, headers := range [][]string{{"If-Match", first, "Idempotency-Key", "k1"}, {"If-Match", "*", "Idempotency-Key", "k2"}} {
		x := p.ok(200, "PUT", labelPath, `{"version":"latest"}`, headers...)
		again := p.ok(200, "PUT", labelPath, `{"version":"latest"}`, headers...)
		if again.get("Stet-Replayed") != "true" || again.get("Stet-Revision") != x.get("Stet-Revision") || x.get("Stet-Replayed") != "" {
			t.Errorf("%v: %v\nthen %v", headers, x.res.Header, again.res.Header)
		}
	}
	if r := p.ok(200, "GET", "/v1/store", "").json()["revision"]; r != 4.0 {
		t.Errorf("there are %v commits, not 4", r)
	}
}

// TestConditionalOnceLater: a move under a condition was carried out once and for all,
// whatever became of the version that it names; and after a clear the same number, at
// the same ordinal, is another version.
func TestConditionalOnceLater(t *testing.T) {
	p := newPeer(t, nil, Options{})
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1","labels":["production"]}`)
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"2","bump":"minor"}`)
	first := p.ok(200, "GET", labelAtPath, "").get("ETag")
	move := func(status int, id string) *exchange {
		t.Helper()
		return p.ok(status, "PUT", labelPath, `{"version":"1.1.0"}`, "If-Match", first, "Idempotency-Key", id)
	}
	done := move(200, "k")
	again := func(status int, what string) {
		t.Helper()
		x := move(status, "k")
		if x.get("Stet-Replayed") != "true" || x.get("Stet-Revision") != done.get("Stet-Revision") {
			t.Errorf("%s: %v", what, x.res.Header)
		}
	}
	p.ok(204, "DELETE", "/v1/prompts/a/versions/1.0.0", "")
	again(200, "deleted")
	move(412, "deleted")
	p.ok(204, "DELETE", "/v1/prompts", "", "X-Confirm", "clear")
	again(204, "cleared")
	move(412, "cleared")
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1","labels":["production"]}`)
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"2","bump":"minor"}`)
	again(200, "saved anew")
	if x := move(412, "saved-anew"); !strings.Contains(x.body, "cleared since") {
		t.Errorf("412 is %s", x.body)
	}
	p.ok(412, "POST", labelPath+"/rollback", "", "If-Match", first)
	p.ok(412, "DELETE", labelPath, "", "If-Match", first)
	if labels := p.ok(200, "GET", "/v1/prompts/a", "").json()["labels"].(map[string]any); labels["production"] != "1.0.0" {
		t.Errorf("the labels are %v", labels)
	}
}

// TestConditionAfterAClearInTheCommit: the tag of a version that was saved in the commit
// that cleared, after its clear, is that of any other version.
func TestConditionAfterAClearInTheCommit(t *testing.T) {
	p := newPeer(t, nil, Options{})
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"old","labels":["production"]}`)
	p.ok(200, "POST", "/v1/commits", `{"ops":[{"save":{"prompt_id":"a","text":"gone","version":"7.0.0"}},{"clear":{}},
		{"save":{"prompt_id":"a","text":"1","version":"1.0.0","labels":["production"]}},{"save":{"prompt_id":"a","text":"2","version":"2.0.0"}}]}`)
	tag := p.ok(200, "GET", labelAtPath, "").get("ETag")
	p.ok(200, "PUT", labelPath, `{"version":"2.0.0"}`, "If-Match", tag)
	p.ok(412, "PUT", labelPath, `{"version":"2.0.0"}`, "If-Match", tag)
	tag = p.ok(200, "GET", labelAtPath, "").get("ETag")
	p.ok(204, "DELETE", "/v1/prompts", "", "X-Confirm", "clear")
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1","version":"2.0.0","labels":["production"]}`)
	p.ok(412, "PUT", labelPath, `{"version":"2.0.0"}`, "If-Match", tag)
}
