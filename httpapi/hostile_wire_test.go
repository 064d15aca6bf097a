package httpapi

import (
	"strconv"
	"strings"
)

func hex(n int) string { return strconv.FormatInt(int64(n), 16) }

// hostileMethods are methods that a route does not take.
func hostileMethods() []hostile {
	rows := []hostile{
		{what: "a CONNECT", line: "CONNECT /v1/prompts", want: "405 invalid"},
		{what: "a TRACE", line: "TRACE /v1/prompts/a", want: "405 invalid"},
		{what: "a method in lower case", line: "get /v1/store", want: "405 invalid"},
		{what: "a method that nobody knows", line: "STEAL /v1/prompts", want: "405 invalid"},
		{what: "a method of 10 KB", line: strings.Repeat("X", 10<<10) + " /v1/prompts", want: "405 invalid"},
		{what: "a HEAD of what only takes POST", line: "HEAD /v1/commits", want: "405 invalid"},
		{what: "a HEAD of what is not there", line: "HEAD /v1/prompts/nobody", want: "404 not_found"},
		{what: "a preflight", line: "OPTIONS /v1/prompts/a/versions", head: "Origin: https://attacker.example\nAccess-Control-Request-Method: POST", want: "405 invalid"},
		{what: "a method in a header", line: "POST /v1/prompts/a", head: "X-HTTP-Method-Override: DELETE", body: "{}", want: "405 invalid"},
		{what: "a method where no path is", line: "STEAL /nothing", want: "404 not_found"},
	}
	for target, methods := range map[string]string{
		"/v1/prompts/a/versions/latest": "POST PUT PATCH", "/v1/prompts/a/versions": "PUT DELETE PATCH", "/v1/prompts/a/versions/latest/render": "GET PUT DELETE", "/v1/get": "GET PUT DELETE", "/p/a": "POST PUT DELETE PATCH",
		"/v1/prompts": "POST PUT PATCH", "/v1/prompts/a": "POST PUT PATCH", "/v1/prompts/a/labels/production": "POST PATCH", "/v1/prompts/a/labels/production/rollback": "GET PUT DELETE", "/v1/prompts/a/diff": "POST DELETE", "/v1/commits": "GET PUT DELETE",
		"/v1/changes": "POST DELETE", "/v1/store": "POST DELETE", "/v1/verify": "GET DELETE", "/v1/backup": "POST DELETE", "/v1/export": "POST", "/v1/replay": "GET", "/healthz": "POST", "/readyz": "POST", "/metrics": "POST DELETE", "/openapi.yaml": "PUT",
	} {
		for method := range strings.FieldsSeq(methods) {
			rows = append(rows, hostile{what: method + " " + target, line: method + " " + target, want: "405 invalid"})
		}
	}
	return rows
}

// hostileHeaders are headers of the contract with what they cannot hold.
func hostileHeaders() []hostile {
	const save, ok = "POST /v1/prompts/a/versions", `{"text":"x","expect":"0.0.1"}` // which fails, if anything is right
	rows := []hostile{
		{what: "a key of 129 bytes", line: save, head: "Idempotency-Key: " + strings.Repeat("x", 129), body: ok, want: "400 invalid"},
		{what: "a key of 10 KB", line: save, head: "Idempotency-Key: " + strings.Repeat("x", 10<<10), body: ok, want: "400 invalid"},
		{what: "a key with a tab", line: save, head: "Idempotency-Key: a\tb", body: ok, want: "400 invalid"},
		{what: "a key with NUL", line: save, head: "Idempotency-Key: a\x00b", body: ok, want: "400 -"},
		{what: "a key that is not UTF-8", line: save, head: "Idempotency-Key: \xff", body: ok, want: "400 invalid"},
		{what: "a key with a right-to-left override", line: save, head: "Idempotency-Key: a\u202eb", body: ok, want: "400 invalid"},
		{what: "two keys", line: save, head: "Idempotency-Key: a\nIdempotency-Key: b", body: ok, want: "400 invalid"},
		{what: "a key beside another id", line: "POST /v1/commits", head: "Idempotency-Key: a", body: `{"id":"b","ops":[{"clear":{}}]}`, want: "400 invalid"},
		{what: "an author that is not percent-encoded", line: save, head: "Stet-Author: %zz", body: ok, want: "400 invalid"},
		{what: "an author that is not UTF-8", line: save, head: "Stet-Author: %FF", body: ok, want: "400 invalid"},
		{what: "an author with NUL", line: save, head: "Stet-Author: a%00b", body: ok, want: "400 invalid"},
		{what: "an author of 10 KB", line: save, head: "Stet-Author: " + strings.Repeat("x", 10<<10), body: ok, want: "413 too_large"},
		{what: "an author of 10 KB who deletes", line: "DELETE /v1/prompts/a?force=true", head: "Stet-Author: " + strings.Repeat("x", 10<<10), want: "413 too_large"},
		{what: "a message of 24 KB of one who deletes a version", line: "DELETE /v1/prompts/a/versions/1.0.0?force=true", head: "Stet-Message: " + strings.Repeat("x", 24<<10), want: "431 -"},
		{what: "an author of 10 KB who clears", line: "DELETE /v1/prompts", head: "X-Confirm: clear\nStet-Author: " + strings.Repeat("x", 10<<10), want: "413 too_large"},
		{what: "two authors", line: save, head: "Stet-Author: a\nStet-Author: b", body: ok, want: "400 invalid"},
		{what: "an author beside another", line: "POST /v1/commits", head: "Stet-Author: a", body: `{"author":"b","ops":[{"clear":{}}]}`, want: "400 invalid"},
		{what: "a message with NUL", line: save, head: "Stet-Message: %00", body: ok, want: "400 invalid"},
		{what: "two messages", line: "DELETE /v1/prompts/a?force=true", head: "Stet-Message: a\nStet-Message: b", want: "400 invalid"},
		{what: "no confirmation", line: "DELETE /v1/prompts", want: "400 invalid"},
		{what: "another confirmation", line: "DELETE /v1/prompts", head: "X-Confirm: CLEAR", want: "400 invalid"},
		{what: "two confirmations", line: "DELETE /v1/prompts", head: "X-Confirm: clear\nX-Confirm: clear", want: "400 invalid"},
		{what: "a request id that splits a header", line: "GET /healthz", head: "X-Request-Id: a%0d%0ab", want: "200"},
		{what: "a request id of 10 KB", line: "GET /healthz", head: "X-Request-Id: " + strings.Repeat("x", 10<<10), want: "200"},
		{what: "a range of bytes", line: "GET /v1/prompts/a/versions/latest", head: "Range: bytes=0-18446744073709551615", want: "200"},
		{what: "a thousand ranges of bytes", line: "GET /p/a", head: "Range: bytes=0-" + strings.Repeat(",0-", 1000), want: "200"},
		{what: "1,000 headers", line: "GET /v1/prompts/a", head: strings.TrimSuffix(strings.Repeat("X-A: b\n", 1000), "\n"), want: "200"},
		{what: "1,000 headers of 1 KB", line: "GET /v1/prompts/a", head: strings.TrimSuffix(strings.Repeat("X-A: "+strings.Repeat("b", 1<<10)+"\n", 1000), "\n"), want: "431 -"},
		{what: "a header of 24 KB", line: "GET /v1/prompts/a", head: "X-A: " + strings.Repeat("b", 24<<10), want: "431 -"},
		{what: "a header of 1 MB", line: "GET /v1/prompts/a", head: "X-A: " + strings.Repeat("b", 1<<20), want: "431 -"},
		{what: "a header's name of 1 MB", line: "GET /v1/prompts/a", head: strings.Repeat("b", 1<<20) + ": c", want: "431 -"},
		{what: "a target of 1 MB", line: "GET /v1/prompts?prefix=" + strings.Repeat("b", 1<<20), want: "431 -"},
		{what: "codings that nobody knows", line: "GET /openapi.yaml", head: "Accept-Encoding: br;q=1, *;q=0, identity;q=0", want: "200"},
		{what: "1,000 codings", line: "GET /openapi.yaml", head: "Accept-Encoding: x" + strings.Repeat(",gzip;q=0.5", 1000), want: "200"},
		{what: "qualities that are none", line: "GET /openapi.yaml", head: "Accept-Encoding: gzip;q=NaN, zstd;q=1e400, x;q=-1", want: "200"},
		{what: "forwarded headers", line: "GET /healthz", head: "X-Forwarded-For: 10.0.0.1\nX-Forwarded-Host: attacker.example\nForwarded: for=\"[::1]\";host=x", want: "403 forbidden"},
		{what: "an upgrade", line: "GET /v1/changes", head: "Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: x", want: "200"},
		{what: "an expectation that nobody knows", line: "GET /healthz", head: "Expect: 200-ok", want: "417 -"},
		{what: "a page of another origin", line: "POST /v1/verify", head: "Origin: https://attacker.example", want: "403 forbidden"},
		{what: "a page of no origin", line: "DELETE /v1/prompts/a?force=true", head: "Origin: null", want: "403 forbidden"},
		{what: "a page of another site", line: "DELETE /v1/prompts/a?force=true", head: "Sec-Fetch-Site: cross-site", want: "403 forbidden"},
	}
	for _, accept := range []string{"text/html", "image/*", "application/json;q=0", "application/json;q=0, */*", "application/xml, text/plain", "x", "/", "application/json;q=2", "application/json;q=NaN", ",,,", strings.Repeat("x,", 10_000)} {
		rows = append(rows, hostile{what: "Accept: " + accept[:min(len(accept), 50)], line: "GET /v1/prompts/a", head: "Accept: " + accept, want: "406 invalid"})
	}
	for target, method := range map[string]string{"/p/a": "GET", "/v1/commits": "POST", "/v1/prompts/a/diff": "GET", "/v1/backup": "GET", "/v1/export": "GET", "/v1/verify": "POST", "/v1/prompts/a/labels/production": "PUT", "/v1/changes": "GET"} {
		rows = append(rows, hostile{what: "an image of " + target, line: method + " " + target, head: "Accept: image/png", want: "406 invalid"})
	}
	return rows
}

// hostileConditions are If-Match and If-None-Match.
func hostileConditions() []hostile {
	const label = "/v1/prompts/a/labels/production"
	rows := []hostile{
		{what: "both conditions", line: "PUT " + label, head: "If-Match: *\nIf-None-Match: *", body: `{"version":"1.0.0"}`, want: "400 invalid"},
		{what: "a condition and expect", line: "PUT " + label, head: "If-Match: *", body: `{"version":"1.0.0","expect":"2.0.0"}`, want: "400 invalid"},
		{what: "two headers If-Match", line: "PUT " + label, head: "If-Match: *\nIf-Match: *", body: `{"version":"1.0.0"}`, want: "400 invalid"},
		{what: "a tag in If-None-Match", line: "PUT " + label, head: `If-None-Match: "x"`, body: `{"version":"1.0.0"}`, want: "400 invalid"},
		{what: "an empty If-Match", line: "PUT " + label, head: "If-Match:", body: `{"version":"1.0.0"}`, want: "400 invalid"},
		{what: "an empty If-None-Match", line: "PUT " + label, head: "If-None-Match:", body: `{"version":"1.0.0"}`, want: "400 invalid"},
		{what: "a label that must be nowhere", line: "PUT " + label, head: "If-None-Match: *", body: `{"version":"1.0.0"}`, want: "412 conflict"},
		{what: "a label that must be somewhere", line: "PUT /v1/prompts/a/labels/other", head: "If-Match: *", body: `{"version":"1.0.0"}`, want: "412 conflict"},
		{what: "a condition on a save", line: "POST /v1/prompts/a/versions", head: "If-Match: *", body: `{"text":"x"}`, want: "400 invalid"},
		{what: "a condition on a commit", line: "POST /v1/commits", head: "If-None-Match: *", body: `{"ops":[{"clear":{}}]}`, want: "400 invalid"},
		{what: "a condition on a delete", line: "DELETE /v1/prompts/a?force=true", head: `If-Match: "x"`, want: "400 invalid"},
		{what: "a condition on a clear", line: "DELETE /v1/prompts", head: "X-Confirm: clear\nIf-Match: *", want: "400 invalid"},
		{what: "a date as a condition", line: "DELETE /v1/prompts/a?force=true", head: "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", want: "400 invalid"},
		{what: "a date as the condition of a move", line: "PUT " + label, head: "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", body: `{"version":"1.0.0"}`, want: "400 invalid"},
		{what: "1,000 tags that are none", line: "GET /v1/prompts/a/versions/latest", head: "If-None-Match: x" + strings.Repeat(`,"`, 1000), want: "200"},
		{what: "tags without quotes", line: "GET /v1/prompts/a/versions/latest", head: "If-None-Match: W/, x, \"", want: "200"},
		{what: "the tag of another store", line: "GET /v1/prompts/a/versions/latest", head: `If-None-Match: "{other}.3.3"`, want: "200"},
	}
	for what, tag := range map[string]string{
		"no quotes": "x", "a quote": `"`, "an empty tag": `""`, "a weak tag": `W/"{store}.3.3"`, "another store": `"{other}.3.3"`, "no ordinal": `"{store}.3"`, "too many parts": `"{store}.3.3.3"`, "no version": `"{store}.3.99"`,
		"a version of another revision": `"{store}.99.3"`, "2^64": `"{store}.18446744073709551616.1"`, "a sign": `"{store}.+3.+3"`, "another version": `"{store}.1.1"`, "a coding of a coding": `"{store}.1.1-gzip-zstd"`,
	} {
		rows = append(rows, hostile{what: "If-Match: " + what, line: "PUT " + label, head: "If-Match: " + tag, body: `{"version":"1.0.0"}`, want: "412 conflict"})
	}
	for what, tags := range map[string]string{"two tags": `"a", "b"`, "a star and a tag": `*, "a"`, "a comma": ",", "a star twice": "*,*"} {
		rows = append(rows, hostile{what: "If-Match: " + what, line: "PUT " + label, head: "If-Match: " + tags, body: `{"version":"1.0.0"}`, want: "400 invalid"})
	}
	return rows
}

// hostileStreams are requests for changes.
func hostileStreams() []hostile {
	rows := []hostile{
		{what: "changes after the end", line: "GET /v1/changes?since=99", want: "404 not_found"},
		{what: "changes after 2^63-1", line: "GET /v1/changes?since=9223372036854775807", want: "404 not_found"},
		{what: "a long poll after the end", line: "GET /v1/changes?since=99&wait=1", want: "404 not_found"},
		{what: "a stream after the end", line: "GET /v1/changes?since=99", head: "Accept: text/event-stream", want: "404 not_found"},
		{what: "changes of another store", line: "GET /v1/changes?since={other}.1", want: "409 conflict"},
		{what: "a stream of another store", line: "GET /v1/changes", head: "Accept: text/event-stream\nLast-Event-ID: {other}.1", want: "409 conflict"},
		{what: "a stream with a limit", line: "GET /v1/changes?limit=1", head: "Accept: text/event-stream", want: "400 invalid"},
		{what: "a page with a beat", line: "GET /v1/changes?beat=1", want: "400 invalid"},
		{what: "a stream that waits", line: "GET /v1/changes?wait=1", head: "Accept: text/event-stream", want: "400 invalid"},
		{what: "a prefix that cannot be", line: "GET /v1/changes?prefix=%00", want: "400 invalid"},
		{what: "a stream of a prefix that cannot be", line: "GET /v1/changes?prefix=..%2F", head: "Accept: text/event-stream", want: "400 invalid"},
		{what: "two places to go on at", line: "GET /v1/changes", head: "Accept: text/event-stream\nLast-Event-ID: 1\nLast-Event-ID: 2", want: "400 invalid"},
		{what: "texts that are neither", line: "GET /v1/changes?texts=1", want: "400 invalid"},
		{what: "changes with a limit of 1e9", line: "GET /v1/changes?limit=1000000000", want: "400 invalid"},
	}
	for _, wait := range []string{"-1", "61", "1e400", "NaN", "Inf", "x", "", "0x1p4", "1s"} {
		rows = append(rows, hostile{what: "a wait of " + wait, line: "GET /v1/changes?wait=" + wait, want: "400 invalid"})
	}
	for _, beat := range []string{"0", "0.001", "-1", "61", "NaN"} {
		rows = append(rows, hostile{what: "a beat of " + beat, line: "GET /v1/changes?beat=" + beat, head: "Accept: text/event-stream", want: "400 invalid"})
	}
	for _, since := range []string{"-1", "%2B1", "x", "1e3", "", "{store}.", ".1", "{store}.-1", "{store}.1.1", "18446744073709551616", "%00"} {
		want := "400 invalid"
		if since == ".1" || since == "{store}.1.1" { // places in stores of those names
			want = "409 conflict"
		}
		rows = append(rows, hostile{what: "changes since " + since, line: "GET /v1/changes?since=" + since, want: want})
	}
	for _, last := range []string{"x", "-1", "1\t2", "\xff", "{store}.x"} {
		rows = append(rows, hostile{what: "a last event of " + last, line: "GET /v1/changes", head: "Accept: text/event-stream\nLast-Event-ID: " + last, want: "400 invalid"})
	}
	return rows
}

// hostileKeys are requests to a server with keys that show none, or none that is good.
func hostileKeys() []hostile {
	rows := []hostile{{what: "no key", line: "GET /v1/store", want: "401 unauthorized"}, {what: "no key for figures", line: "GET /metrics", want: "401 unauthorized"}, {what: "no key for a stream", line: "GET /v1/changes", head: "Accept: text/event-stream", want: "401 unauthorized"},
		{what: "two keys", line: "GET /v1/store", head: "Authorization: Bearer a\nAuthorization: Bearer b", want: "401 unauthorized"}, {what: "a key in the query", line: "GET /v1/store?access_token=x", want: "401 unauthorized"},
		{what: "a huge body and no key", line: "POST /v1/commits", body: strings.Repeat("x", 1<<20), want: "401 unauthorized"}, {what: "broken JSON and no key", line: "POST /v1/commits", body: "{", want: "401 unauthorized"},
		{what: "no key and nothing there", line: "GET /v1/prompts/nobody", want: "401 unauthorized"}, {what: "a clear without a key", line: "DELETE /v1/prompts", head: "X-Confirm: clear", want: "401 unauthorized"}}
	for _, v := range []string{"", "Bearer", "Bearer ", "Bearer x", "bearer stet_", "Basic YTpi", "Bearer \xff", "Bearer a b", "Digest x", "x", "Bearer " + strings.Repeat("x", 10<<10), "Bearer null", "Bearer %00", "Bearer ../../etc/passwd"} {
		rows = append(rows, hostile{what: "Authorization: " + v[:min(len(v), 50)], line: "GET /v1/store", head: "Authorization: " + v, want: "401 unauthorized"})
	}
	return rows
}
