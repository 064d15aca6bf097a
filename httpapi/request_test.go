package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

// TestRefusedRequests: what is not known or not well-formed is refused with its
// code, and changes nothing.
func TestRefusedRequests(t *testing.T) {
	p := newPeer(t, nil, Options{MaxBody: 4 << 10})
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"1","labels":["production"]}`)
	tail, err := p.store.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 300)
	for _, x := range []struct {
		status             int
		method, path, body string
		headers            []string
		say                string
	}{
		{400, "GET", "/v1/prompts?limit=0", "", nil, "limit"},
		{400, "GET", "/v1/prompts?limit=1001", "", nil, "limit"},
		{400, "GET", "/v1/prompts?limit=+1", "", nil, "limit"},
		{400, "GET", "/v1/prompts?limit=1&limit=1", "", nil, "twice"},
		{400, "GET", "/v1/prompts?Limit=1", "", nil, `no parameter "Limit"`},
		{400, "GET", "/v1/prompts?min%5Frevision=99", "", nil, `no parameter "min%5Frevision"`},
		{400, "GET", "/v1/changes?wai%74=60", "", nil, `no parameter "wai%74"`},
		{400, "GET", "/v1/prompts?%zz=1", "", nil, "no parameter"},
		{400, "GET", "/v1/prompts?prefix=%zz", "", nil, "percent-encoded"},
		{400, "GET", "/v1/prompts?prefix=%ff", "", nil, "UTF-8"},
		{400, "GET", "/v1/prompts?cursor=x", "", nil, "cursor"},
		{400, "GET", "/v1/prompts?at=yesterday", "", nil, "revision nor a time"},
		{400, "GET", "/v1/prompts?at=0", "", nil, "at is"},
		{400, "GET", "/v1/prompts?min_revision=-1", "", nil, "whole number"},
		{400, "GET", "/v1/prompts?min_revision=99999999999999999999", "", nil, "whole number"},
		{400, "GET", "/v1/prompts/a/versions?order=up", "", nil, "asc or desc"},
		{400, "GET", "/v1/prompts/a%40b/versions/latest", "", nil, "@"},
		{400, "GET", "/v1/prompts/%00/versions/latest", "", nil, ""},
		{400, "GET", "/v1/prompts/%ff/versions/latest", "", nil, ""},
		{400, "GET", "/v1/prompts/..%2Fa/versions/latest", "", nil, ""},
		{400, "GET", "/v1/prompts/%2F/versions/latest", "", nil, "not a prompt id"},
		{400, "GET", "/v1/prompts/" + long + "/versions/latest", "", nil, ""},
		{400, "GET", "/v1/prompts/a/versions/" + long, "", nil, ""},
		{400, "GET", "/v1/prompts/a/labels/UP", "", nil, ""},
		{400, "GET", "/p/@latest", "", nil, ""},
		{404, "GET", "/v1//prompts", "", nil, "empty segment"},
		{404, "GET", "/v1/prompts/a/nothing", "", nil, "openapi.yaml"},
		{404, "GET", "/p/a/../b", "", nil, ""},
		{405, "PATCH", "/v1/prompts", "", nil, "DELETE, GET, HEAD"},
		{405, "POST", "/v1/store", "", nil, "GET, HEAD"},
		{406, "GET", "/v1/prompts", "", []string{"Accept", "text/html"}, "application/json"},
		{406, "GET", "/v1/prompts", "", []string{"Accept", "application/json;q=0, */*"}, ""},
		{415, "POST", "/v1/commits", "{}", []string{"Content-Type", "text/plain"}, "application/json"},
		{415, "POST", "/v1/commits", "{}", []string{"Content-Type", "application/json; charset=latin1"}, "UTF-8"},
		{415, "POST", "/v1/commits", "{}", []string{"Content-Encoding", "gzip"}, "encoded"},
		{415, "POST", "/v1/prompts/a/labels/production/rollback", "", []string{"Content-Type", "text/plain"}, ""},
		{400, "DELETE", "/v1/prompts?all=1", "", nil, `no parameter "all" here. This takes none.`},
		{400, "POST", "/v1/prompts/a/versions/latest/render", `{"variables":{"count":3}}`, nil, `count in /variables is a number; give a text: "3"`},
		{400, "POST", "/v1/get", `{"refs":"a"}`, nil, "refs is a text; give a list"},
		{400, "PUT", "/v1/prompts/a/labels/production", `{"version":1}`, nil, `version is a number; give a text: "1"`},
		{400, "POST", "/v1/commits", `{"ops":{"clear":{}}}`, nil, "ops is an object; give a list"},
		{400, "POST", "/v1/prompts/a/versions", `{"text":1.5}`, nil, `text is a number; give a text: "1.5"`},
		{400, "POST", "/v1/commits", "", nil, "no JSON value"},
		{400, "POST", "/v1/commits", "{", nil, "cut short"},
		{400, "POST", "/v1/commits", "{}{}", nil, "follows"},
		{400, "POST", "/v1/commits", `{"ops":[],"ops":[]}`, nil, ""},
		{400, "POST", "/v1/commits", `{"Ops":[]}`, nil, ""},
		{400, "POST", "/v1/commits", `{"ops":[{"save":{"prompt_id":"b","text":"` + "\xff" + `"}}]}`, nil, "UTF-8"},
		{400, "POST", "/v1/commits", `{"id":"a","ops":[{"clear":{}}]}`, []string{"Idempotency-Key", "b"}, "Idempotency-Key"},
		{400, "POST", "/v1/commits", `{"author":"a","ops":[{"clear":{}}]}`, []string{"Stet-Author", "b"}, "Stet-Author"},
		{400, "POST", "/v1/commits", `{"ops":[{"clear":{}}]}`, []string{"Stet-Message", "%ff"}, "UTF-8"},
		{400, "POST", "/v1/commits?versions=yes", `{"ops":[{"clear":{}}]}`, nil, "true or false"},
		{413, "POST", "/v1/commits", `{"message":"` + strings.Repeat("x", 5000) + `"}`, nil, "4096"},
		{400, "POST", "/v1/prompts/a/versions", `{"prompt_id":"b","text":"x"}`, nil, `"b"`},
		{400, "PUT", "/v1/prompts/a/labels/production", `{}`, nil, "version"},
		{400, "DELETE", "/v1/prompts", "", nil, "X-Confirm"},
		{400, "DELETE", "/v1/prompts", "", []string{"X-Confirm", "yes"}, "X-Confirm"},
		{400, "DELETE", "/v1/prompts/a?force=1", "", nil, "true or false"},
		{400, "DELETE", "/v1/prompts/a", "{}", nil, "no body"},
		{400, "DELETE", "/v1/prompts/a/versions/latest", "", nil, ""},
		{400, "POST", "/v1/replay", `{"prompt_id":"a","text":"x"}`, nil, "export"},
		{400, "POST", "/v1/verify", `{"expect":"x"}`, nil, "hash"},
		{400, "GET", "/v1/backup", "", nil, "memory"},
	} {
		e := p.ok(x.status, x.method, x.path, x.body, x.headers...)
		if detail, _ := e.json()["detail"].(string); !strings.Contains(detail, x.say) {
			t.Errorf("%s %s %s: %q does not say %q", x.method, x.path, x.body, detail, x.say)
		}
		if x.status == http.StatusMethodNotAllowed && e.get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", x.method, x.path)
		}
	}
	if after, err := p.store.Tail(t.Context()); err != nil || after != tail {
		t.Error("what was refused changed the store")
	}
}

// TestRequestIDs: an answer has the id that the request gave if that is harmless,
// else one that no other answer has.
func TestRequestIDs(t *testing.T) {
	p := newPeer(t, nil, Options{})
	if id := p.ok(200, "GET", "/v1/store", "", "X-Request-Id", "abc-1.2_3").get(headerRequestID); id != "abc-1.2_3" {
		t.Errorf("the id is %q", id)
	}
	seen := make(map[string]bool)
	for _, given := range []string{"", "a b", "a\"b", strings.Repeat("x", 65), "ü"} {
		id := p.ok(200, "GET", "/v1/store", "", "X-Request-Id", given).get(headerRequestID)
		if id == given || id == "" || seen[id] {
			t.Errorf("%q is answered with the id %q", given, id)
		}
		seen[id] = true
	}
}
