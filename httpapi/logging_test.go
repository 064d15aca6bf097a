package httpapi

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stet-dev/stet/internal/conns"
)

// TestLogLines makes requests that are full of secrets and looks for them in the
// log, which has them nowhere.
func TestLogLines(t *testing.T) {
	r := newRig(t, Options{})
	const head = "Host: localhost\nConnection: close\nAuthorization: Bearer SECRET-KEY\nCookie: SECRET-COOKIE\nStet-Message: SECRET-MESSAGE\nX-Request-Id: req-1\n"
	post := func(path, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\n%sContent-Type: application/json\nContent-Length: %d\n\n%s", path, head, len(body), body)
	}
	for _, x := range []struct {
		request      string
		level, route string
		status       int
		code         any
	}{
		{post("/v1/prompts/SECRET-ID/versions", `{"text":"SECRET-TEXT {{a}}"}`), "INFO", "POST /v1/prompts/{id}/versions", 201, nil},
		{"GET /v1/prompts?prefix=SECRET-QUERY HTTP/1.1\n" + head + "\n", "DEBUG", "GET /v1/prompts", 200, nil},
		{"GET /p/SECRET-ID@latest HTTP/1.1\n" + head + "\n", "DEBUG", "GET /p/{ref...}", 200, nil},
		{post("/v1/get", `{"refs":["SECRET-ID"]}`), "DEBUG", "POST /v1/get", 200, nil},
		{post("/v1/prompts/SECRET-ID/versions/latest/render", `{"variables":{"a":"SECRET-VALUE"}}`), "DEBUG", "POST /v1/prompts/{id}/versions/{selector}/render", 200, nil},
		{"GET /v1/prompts/SECRET-ID/versions/SECRET-SELECTOR HTTP/1.1\n" + head + "\n", "INFO", "GET /v1/prompts/{id}/versions/{selector}", 400, "invalid"},
		{"GET /SECRET-PATH HTTP/1.1\n" + head + "\n", "INFO", "other", 404, "not_found"},
		{"SECRET /v1/prompts HTTP/1.1\n" + head + "\n", "INFO", "other", 405, "invalid"},
		{"GET /healthz HTTP/1.1\n" + head + "\n", "DEBUG", "GET /healthz", 200, nil},
	} {
		answer(t, r.dial(x.request))
		m := r.line()
		if m["level"] != x.level || m["route"] != x.route || m["status"] != float64(x.status) || m["code"] != x.code || m["request_id"] != "req-1" {
			t.Errorf("%.40q is logged as %v\nwant %s, %s, %d, %v", x.request, m, x.level, x.route, x.status, x.code)
		}
		if b, ok := m["bytes"].(float64); !ok || b == 0 {
			t.Errorf("%.40q: bytes are %v", x.request, m["bytes"])
		}
		if took, ok := m["took"].(float64); !ok || took <= 0 {
			t.Errorf("%.40q: it took %v", x.request, m["took"])
		}
		if line := strings.Replace(fmt.Sprint(m), `"SECRET"`, "", 1); strings.Contains(line, "SECRET-") || strings.Contains(line, "SECRET ") {
			t.Errorf("the log has a secret: %s", line)
		}
	}
}

func TestMetrics(t *testing.T) {
	r := newRig(t, Options{Metrics: conns.Listen(nil, 1, 1)})
	save := func(body string) {
		answer(t, r.dial(fmt.Sprintf("POST /v1/prompts/a/versions HTTP/1.1\nHost: localhost\nConnection: close\nContent-Type: application/json\nContent-Length: %d\n\n%s", len(body), body)))
	}
	save(`{"text":"a"}`)
	save(`{"text":"b"}`)
	save(`{"text":"c","version":"1.0.0"}`) // conflict
	save(`{"text":"c","bump":"x"}`)        // invalid, before it is a commit
	hits := func(body string) (n int) {
		fmt.Sscan(regexp.MustCompile(`(?m)^stet_cache_hits_total (\d+)$`).FindStringSubmatch(body + "\nstet_cache_hits_total 0\n")[1], &n)
		return n
	}
	_, before := r.ask("GET /metrics")
	for range 3 {
		r.ask("GET /v1/prompts/a/versions/latest")
	}
	r.ask("GET /nothing")
	for range 9 { // a request is counted when its answer has been sent
		r.line()
	}
	res, body := r.ask("GET /metrics")
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		t.Fatalf("%s, %s", res.Status, body)
	}
	for _, want := range []string{
		`stet_http_requests_total\{route="POST /v1/prompts/\{id\}/versions",status="201"\} 2`,
		`stet_http_requests_total\{route="POST /v1/prompts/\{id\}/versions",status="409"\} 1`,
		`stet_http_requests_total\{route="GET /v1/prompts/\{id\}/versions/\{selector\}",status="200"\} 3`,
		`stet_http_requests_total\{route="other",status="404"\} 1`,
		`stet_http_connections 0`,
		`stet_http_connections_closed_total\{which="refused"\} 0`,
		`stet_http_request_seconds_count\{route="GET /v1/prompts/\{id\}/versions/\{selector\}"\} 3`,
		`stet_commits_total\{outcome="applied"\} 2`,
		`stet_commits_total\{outcome="conflict"\} 1`,
		`stet_commit_batch_size_sum 2`, `stet_commit_batch_size_count 2`, `stet_commit_batch_size_bucket\{le="1"\} 2`,
		`stet_revision 2`, `stet_commits_queued 0`, `stet_subscribers 0`, `stet_http_in_hand 0`,
		`stet_cache_misses_total 0`, `go_goroutines \d+`,
	} {
		if !regexp.MustCompile("(?m)^" + want + "$").MatchString(body) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	if n := hits(body) - hits(before); n != 3 {
		t.Errorf("3 reads were %d hits", n)
	}
	if t.Failed() {
		t.Log(body)
	}
}
