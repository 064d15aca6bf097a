package httpapi

import (
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/stet-dev/stet/content"
)

// hostileJSON are bodies that are no JSON, or not JSON as this server takes it.
func hostileJSON() []hostile {
	const commits, save = "POST /v1/commits", "POST /v1/prompts/b/versions"
	deep := 100_000
	rows := []hostile{
		{what: "no body", line: commits, want: "400 invalid"},
		{what: "100,000 arrays in each other", line: commits, body: strings.Repeat("[", deep) + strings.Repeat("]", deep), want: "400 invalid"},
		{what: "100,000 arrays that do not end", line: commits, body: strings.Repeat("[", deep), want: "400 invalid"},
		{what: "100,000 objects in each other", line: save, body: `{"text":"x","metadata":` + strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep) + "}", want: "400 invalid"},
		{what: "one object more than there may be", line: save, body: `{"text":"x","config":` + strings.Repeat(`{"a":`, content.MaxDepth+1) + "1" + strings.Repeat("}", content.MaxDepth+1) + "}", want: "400 invalid"},
		{what: "9,000 arrays in each other", line: save, body: `{"text":"x","config":{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}}", want: "400 invalid"},
		{what: "100,000 spaces", line: commits, body: strings.Repeat(" ", deep), want: "400 invalid"},
		{what: "a metadata number of 2^53+1", line: save, body: `{"text":"x","metadata":{"n":9007199254740993}}`, want: "400 invalid"},
		{what: "a number of 100 KB", line: save, body: `{"text":"x","config":{"n":` + strings.Repeat("9", 100<<10) + `}}`, want: "400 invalid"},
		{what: "100,000 members", line: save, body: `{"text":"x","config":{` + strings.Repeat(`"a":1,`, deep) + `"b":1}}`, want: "400 invalid"},
		{what: "an unknown member of 100 KB", line: save, body: `{"` + strings.Repeat("x", 100<<10) + `":1}`, want: "400 invalid"},
		{what: "a member with controls", line: save, body: `{"\u001b[31m\u202e":1}`, want: "400 invalid"},
		{what: "a byte order mark", line: commits, body: "\xef\xbb\xbf{}", want: "400 invalid"},
		{what: "UTF-16", line: commits, body: "\xff\xfe{\x00}\x00", want: "400 invalid"},
		{what: "a config of which a member is there twice", line: save, body: `{"text":"x","config":{"a":1,"a":2}}`, want: "400 invalid"},
		{what: "a member that is there twice, escaped once", line: save, body: `{"text":"x","t\u0065xt":"y"}`, want: "400 invalid"},
		{what: "prompt_id, twice", line: save, body: `{"prompt_id":"b","prompt_id":"c","text":"x"}`, want: "400 invalid"},
		{what: "a member in another case", line: save, body: `{"Text":"x"}`, want: "400 invalid"},
		{what: "a prototype", line: save, body: `{"text":"x","__proto__":{}}`, want: "400 invalid"},
	}
	for what, body := range map[string]string{
		"a brace": `{`, "a bracket": `[`, "a quote": `"`, "nothing but a comma": `,`, "a comma behind": `{"text":"x",}`, "no comma": `{"text":"x" "bump":"major"}`, "no colon": `{"text" "x"}`,
		"single quotes": `{'text':'x'}`, "no quotes": `{text:"x"}`, "a comment": `{"text":"x"/**/}`, "two values": `{"text":"x"}{"text":"y"}`, "something behind": `{"text":"x"}x`, "NUL behind": "{\"text\":\"x\"}\x00",
		"a literal cut short": `{"if_changed":tru`, "a literal in another case": `{"text":"x","if_changed":True}`, "a string cut short": `{"text":"x`, "an escape cut short": `{"text":"\u00`, "an unknown escape": `{"text":"\x41"}`,
		"a raw newline in a string": "{\"text\":\"a\nb\"}", "a raw NUL in a string": "{\"text\":\"a\x00b\"}", "a lone high surrogate": `{"text":"\ud800"}`, "a lone low surrogate": `{"text":"\udc00"}`, "surrogates the wrong way round": `{"text":"\udc00\ud800"}`,
		"a surrogate in UTF-8": "{\"text\":\"\xed\xa0\x80\"}", "not UTF-8": "{\"text\":\"\xff\"}", "an overlong character": "{\"text\":\"\xc0\xaf\"}", "a character cut short": "{\"text\":\"\xe2\x82\"}", "U+0000 escaped": `{"text":"\u0000"}`,
		"a name that is not UTF-8": "{\"te\xffxt\":1}", "1e400": `{"text":"x","config":{"n":1e400}}`, "2^63": `{"text":"x","config":{"n":9223372036854775808}}`, "-0": `{"text":"x","metadata":-0}`, "a leading zero": `{"text":"x","config":{"n":01}}`,
		"a plus": `{"text":"x","config":{"n":+1}}`, "NaN": `{"text":"x","config":{"n":NaN}}`, "Infinity": `{"text":"x","config":{"n":-Infinity}}`, "hex": `{"text":"x","config":{"n":0x10}}`, "a dot alone": `{"text":"x","config":{"n":1.}}`,
		"XML": `<draft/>`, "a form": `text=x&bump=major`, "YAML": "text: x\n", "gzip": "\x1f\x8b\x08\x00", "null": `null`, "true": `true`, "a number": `1`, "a string": `"x"`, "an array": `[]`, "an empty object": `{}`,
	} {
		rows = append(rows, hostile{what: "JSON: " + what, line: save, body: body, want: "400 invalid"})
	}
	return rows
}

// hostileMembers are bodies that are JSON with members of the wrong types, or with
// values that cannot be.
func hostileMembers() []hostile {
	rows := []hostile{
		{what: "1,001 operations", line: "POST /v1/commits", body: `{"ops":[` + strings.Repeat(`{"save":{"prompt_id":"b","text":"x"}},`, 1000) + `{"save":{"prompt_id":"b","text":"x"}}]}`, want: "413 too_large"},
		{what: "100,000 operations that are none", line: "POST /v1/commits", body: `{"ops":[` + strings.Repeat(`{},`, 99_999) + `{}]}`, want: "413 too_large"},
		{what: "1,001 references", line: "POST /v1/get", body: `{"refs":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`, want: "413 too_large"},
		{what: "9 MB of texts", line: "POST /v1/prompts/b/versions", body: `{"text":"` + strings.Repeat("x", 9<<20) + `"}`, want: "413 too_large"},
		{what: "an id of 10 KB for a commit", line: "POST /v1/commits", body: `{"id":"` + strings.Repeat("x", 10<<10) + `","ops":[{"clear":{}}]}`, want: "400 invalid"},
		{what: "an author of 1 MB", line: "POST /v1/commits", body: `{"author":"` + strings.Repeat("x", 1<<20) + `","ops":[{"clear":{}}]}`, want: "413 too_large"},
		{what: "a reference of 1 MB", line: "POST /v1/get", body: `{"refs":["` + strings.Repeat("x", 1<<20) + `"]}`, want: "400 invalid"},
		{what: "100,000 labels", line: "POST /v1/prompts/b/versions", body: `{"text":"x","labels":["l"` + strings.Repeat(`,"l"`, 100_000) + `]}`, want: "413 too_large"},
		{what: "100,000 parents", line: "POST /v1/prompts/b/versions", body: `{"text":"x","parents":["a@1.0.0"` + strings.Repeat(`,"a@1.0.0"`, 100_000) + `]}`, want: "413 too_large"},
	}
	bad := func(line string, bodies ...string) {
		for _, body := range bodies {
			rows = append(rows, hostile{what: line + ": " + body, line: line, body: body, want: "400 invalid"})
		}
	}
	for _, epoch := range []string{"-1", "-0", "1.0", "1e3", `"1"`, "true", "[]", "{}", "18446744073709551616"} {
		bad("POST /v1/commits", `{"epoch":`+epoch+`,"ops":[{"save":{"prompt_id":"b","text":"x"}}]}`)
	}
	bad("POST /v1/prompts/b/versions",
		`{"text":1}`, `{"text":null}`, `{"text":["x"]}`, `{"text":{}}`, `{"text":"x","messages":[]}`, `{"messages":{}}`, `{"messages":[]}`, `{"messages":[1]}`, `{"messages":[{}]}`, `{"messages":[{"role":1,"content":"x"}]}`,
		`{"messages":[{"role":"user","content":1}]}`, `{"messages":[{"type":"placeholder"}]}`, `{"messages":[{"type":"placeholder","name":"a b"}]}`, `{"type":"image","text":"x"}`, `{"type":"chat","text":"x"}`, `{"type":1,"text":"x"}`,
		`{"text":"x","config":[]}`, `{"text":"x","config":"x"}`, `{"text":"x","metadata":1}`, `{"text":"x","template":"jinja"}`, `{"text":"x","template":1}`, `{"text":"x","version":1}`, `{"text":"x","version":"1"}`, `{"text":"x","version":"1.0.0+b"}`,
		`{"text":"x","version":"latest"}`, `{"text":"x","version":"9223372036854775808.0.0"}`, `{"text":"x","bump":"huge"}`, `{"text":"x","bump":"major","version":"1.0.0"}`, `{"text":"x","expect":1}`, `{"text":"x","expect":"x y"}`, `{"text":"x","if_changed":"yes"}`,
		`{"text":"x","labels":"production"}`, `{"text":"x","labels":["latest"]}`, `{"text":"x","labels":["UP"]}`, `{"text":"x","labels":[1]}`, `{"text":"x","labels":["production","production"]}`, `{"text":"x","parents":"a"}`, `{"text":"x","parents":["a"]}`,
		`{"text":"x","parents":["a@latest"]}`, `{"text":"x","parents":[1]}`, `{"text":"x","author":1}`, `{"text":"x","author":"a\u0000b"}`, `{"text":"x","created_at":"yesterday"}`, `{"text":"x","created_at":1}`, `{"text":"x","digest":"sha256:00"}`,
		`{"text":"x","prompt_id":"c"}`, `{"text":"x","prompt_id":"../b"}`, `{"text":"x","prompt_id":1}`, `{"text":"x","ordinal":1}`,
	)
	bad("POST /v1/commits",
		`{"ops":null}`, `{"ops":{}}`, `{"ops":"clear"}`, `{"ops":[]}`, `{"ops":[null]}`, `{"ops":[1]}`, `{"ops":[{}]}`, `{"ops":[{"drop":{}}]}`, `{"ops":[{"clear":{},"save":{"prompt_id":"b","text":"x"}}]}`, `{"ops":[{"clear":{"all":true}}]}`, `{"ops":[{"clear":1}]}`, `{"ops":[[{"clear":{}}]]}`,
		`{"id":1,"ops":[{"clear":{}}]}`, `{"id":"a\nb","ops":[{"clear":{}}]}`, `{"id":"\u202e","ops":[{"clear":{}}]}`, `{"author":1,"ops":[{"clear":{}}]}`, `{"author":"\u0000","ops":[{"clear":{}}]}`, `{"message":["x"],"ops":[{"clear":{}}]}`, `{"revision":1,"ops":[{"clear":{}}]}`,
		`{"ops":[{"save":{"text":"x"}}]}`, `{"ops":[{"save":{"prompt_id":"","text":"x"}}]}`, `{"ops":[{"save":{"prompt_id":"a\u0000","text":"x"}}]}`, `{"ops":[{"save":{"prompt_id":"..","text":"x"}}]}`, `{"ops":[{"save":[]}]}`, `{"ops":[{"save":null}]}`,
		`{"ops":[{"delete":{}}]}`, `{"ops":[{"delete":{"prompt_id":"a","version":"latest"}}]}`, `{"ops":[{"delete":{"prompt_id":"a","force":1}}]}`, `{"ops":[{"delete":{"prompt_id":"a","version":1}}]}`,
		`{"ops":[{"set_label":{"prompt_id":"a","label":"latest","version":"1.0.0"}}]}`, `{"ops":[{"set_label":{"prompt_id":"a","label":"production"}}]}`, `{"ops":[{"set_label":{"prompt_id":"a","label":"production","version":"1.0.0","expect":1}}]}`,
		`{"ops":[{"set_label":{"prompt_id":"a","label":"production","version":">"}}]}`, `{"ops":[{"remove_label":{"prompt_id":"a"}}]}`, `{"ops":[{"rollback":{"label":"production"}}]}`, `{"ops":[{"rollback":{"prompt_id":"a","label":"x"}}]}`,
		`{"ops":[{"clear":{}},{"save":{"prompt_id":"@","text":"x"}}]}`,
	)
	bad("POST /v1/get", `{"refs":null,"x":1}`, `{"refs":"a"}`, `{"refs":[1]}`, `{"refs":[null]}`, `{"refs":[""]}`, `{"refs":["@latest"]}`, `{"refs":["a@1@2"]}`, `{"refs":["../a"]}`, `{"refs":["a\u0000"]}`, `{"refs":["a","a@>"]}`, `{"ref":"a"}`)
	bad("PUT /v1/prompts/a/labels/production", `{}`, `{"version":""}`, `{"version":1}`, `{"version":null}`, `{"version":"\u0000"}`, `{"version":"1.0.0","expect":"not a number"}`, `{"version":"1.0.0","expect":1}`, `{"version":"1.0.0","force":true}`, `[]`)
	bad("POST /v1/prompts/a/labels/production/rollback", `{"version":"1.0.0"}`, `{"expect":1}`, `{"expect":"x y"}`, `{"expect":"1.0.0"`, `[]`)
	bad("DELETE /v1/prompts/a/labels/production", `{"expect":1}`, `{"expect":"x y"}`, `{"version":"1.0.0"}`, `x`)
	bad("POST /v1/prompts/a/versions/1.0.0/render", `{}`, `{"variables":{"name":1}}`, `{"variables":{"name":null}}`, `{"variables":[]}`, `{"variables":{"name":"x"},"placeholders":{"h":1},"limit":1}`, `{"variables":{"name":"\ud800"}}`, `{"placeholders":1}`, `{"variables":{"name":"x","name":"y"}}`)
	bad("POST /v1/verify", `{"expect":""}`, `{"expect":"x"}`, `{"expect":1}`, `{"expect":"`+strings.Repeat("0", 63)+`"}`, `{"expect":"`+strings.Repeat("z", 64)+`"}`, `{"repair":true}`, `[]`)
	bad("POST /v1/replay", `{}`, `null`, `[]`, `{"prompt_id":"b","text":"x"}`, `{"revision":-1,"id":"x","time":"2026-01-01T00:00:00Z","ops":[{"clear":{}}]}`, `{"revision":1,"id":"","time":"2026-01-01T00:00:00Z","ops":[{"clear":{}}]}`,
		`{"revision":1,"id":"x","time":"never","ops":[{"clear":{}}]}`, `{"revision":1,"id":"x","time":"2026-01-01T00:00:00Z","ops":[]}`, `{"revision":1,"id":"x","time":"2026-01-01T00:00:00Z","ops":[{}]}`,
		`{"revision":1,"id":"x","time":"2026-01-01T00:00:00Z","ops":[{"save":{"prompt_id":"b","version":"1.0.0","ordinal":1,"digest":"sha256:00"}}]}`, `{"revision":18446744073709551616,"id":"x","time":"2026-01-01T00:00:00Z","ops":[{"clear":{}}]}`)
	return rows
}

// hostileBodies are bodies that are too large, cut, encoded or of another type.
func hostileBodies() []hostile {
	const head = "POST /v1/prompts/b/versions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	var bomb strings.Builder
	z := gzip.NewWriter(&bomb)
	for block := make([]byte, 1<<20); bomb.Len() < 64<<10; { // some 64 MB of zeros
		z.Write(block) // into memory: it cannot fail
		z.Flush()
	}
	z.Close()
	huge := `{"text":"` + strings.Repeat("x", hostileMaxBody) + `"}`
	const save, ok = "POST /v1/prompts/b/versions", `{"text":"x"}`
	rows := []hostile{
		{what: "a body over the limit", line: save, body: huge, want: "413 too_large"},
		{what: "a body over the limit in chunks", raw: head + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks(huge) + "0\r\n\r\n", want: "413 too_large"},
		{what: "a body that claims 2^60 bytes", raw: head + "Content-Length: 1152921504606846976\r\n\r\n" + ok, want: "413 too_large"},
		{what: "a body that claims one byte too many", raw: head + "Content-Length: 13\r\n\r\n" + ok, want: "408 unavailable"},
		{what: "a body cut half way", raw: head + "Content-Length: 100000\r\n\r\n" + `{"text":"` + strings.Repeat("x", 50_000), want: "408 unavailable"},
		{what: "a body that never begins", raw: head + "Content-Length: 12\r\n\r\n", want: "408 unavailable"},
		{what: "a body of nothing", raw: head + "Content-Length: 0\r\nConnection: close\r\n\r\n", want: "400 invalid"},
		{what: "a body cut between chunks", raw: head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"tex\r\n", want: "408 unavailable"},
		{what: "a whole value and no last chunk", raw: head + "Transfer-Encoding: chunked\r\n\r\nc\r\n" + ok + "\r\n", want: "408 unavailable"},
		{what: "a chunk cut short", raw: head + "Transfer-Encoding: chunked\r\n\r\nff\r\n{\"text\"", want: "408 unavailable"},
		{what: "a chunk longer than it says", raw: head + "Transfer-Encoding: chunked\r\n\r\n2\r\n" + ok + "\r\n0\r\n\r\n", want: "400 invalid"},
		{what: "a chunk of no number", raw: head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + ok + "\r\n0\r\n\r\n", want: "400 invalid"},
		{what: "a chunk of 2^64 bytes", raw: head + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + ok, want: "400 invalid"},
		{what: "a chunk of fewer than none", raw: head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + ok, want: "400 invalid"},
		{what: "a chunk with a long extension", raw: head + "Transfer-Encoding: chunked\r\n\r\nc;" + strings.Repeat("x", 100_000) + "\r\n" + ok + "\r\n0\r\n\r\n", want: "400 invalid"},
		{what: "many chunks with extensions", raw: head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\n \r\n", 1000) + "0\r\n\r\n", want: "400 invalid"},
		{what: "chunks that end with line feeds", raw: head + "Transfer-Encoding: chunked\r\n\r\nc\n" + `{"text":true` + "\n0\n\n", want: "400 invalid"},
		{what: "an endless trailer", raw: head + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nc\r\n" + `{"text":"x",` + "\r\n0\r\n" + strings.Repeat("X: y\r\n", 100_000) + "\r\n", want: "400 invalid"},
		{what: "a gzip body", line: save, head: "Content-Encoding: gzip", body: bomb.String(), want: "415 invalid"},
		{what: "a gzip body, by its type", line: save, head: "Content-Type: application/gzip", body: bomb.String(), want: "415 invalid"},
		{what: "a gzip body that says nothing", line: save, body: bomb.String(), want: "400 invalid"},
		{what: "a zstd body", line: save, head: "Content-Encoding: zstd", body: "\x28\xb5\x2f\xfd", want: "415 invalid"},
		{what: "two codings", line: save, head: "Content-Encoding: identity, gzip", body: ok, want: "415 invalid"},
		{what: "a coding in a second header", line: save, head: "Content-Encoding: identity\nContent-Encoding: gzip", body: ok, want: "415 invalid"},
		{what: "a coding that is none", line: save, head: "Content-Encoding: \x01", body: ok, want: "400 -"},
		{what: "no media type", raw: "POST /v1/commits HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", want: "415 invalid"},
		{what: "no media type and no body", raw: "POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", want: "415 invalid"},
		{what: "two media types", line: save, head: "Content-Type: application/json\nContent-Type: text/plain", body: ok, want: "415 invalid"},
		{what: "the same media type, twice", line: save, head: "Content-Type: application/json\nContent-Type: application/json", body: ok, want: "415 invalid"},
		{what: "a body where there is none", line: "DELETE /v1/prompts/a?force=true", body: `{"force":true}`, want: "400 invalid"},
		{what: "a body of unknown length where there is none", raw: "DELETE /v1/prompts/a?force=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", want: "400 invalid"},
		{what: "an export as one line", line: "POST /v1/replay", head: "Content-Type: application/x-ndjson", body: "{}\n{}\n", want: "400 invalid"},
	}
	for _, kind := range []string{"text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/json+x", "application/problem+json", "application/json; charset=utf-16", "application/json; charset=", "application/json, text/plain", "json", "*/*", "application/json;;;=", "\"", strings.Repeat("x", 10_000)} {
		rows = append(rows, hostile{what: "the media type " + kind[:min(len(kind), 50)], line: save, head: "Content-Type: " + kind, body: ok, want: "415 invalid"})
	}
	return rows
}

// chunks returns a body in chunks of 64 KiB, without the last.
func chunks(body string) string {
	var b strings.Builder
	for body != "" {
		piece := body[:min(len(body), 64<<10)]
		body = body[len(piece):]
		b.WriteString(hex(len(piece)) + "\r\n" + piece + "\r\n")
	}
	return b.String()
}
