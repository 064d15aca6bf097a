package httpapi

import "strings"

// hostileLines are request lines.
func hostileLines() []hostile {
	const rest = "\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	var rows []hostile
	for what, x := range map[string][2]string{
		"no version": {"GET /v1/store", "400 -"}, "HTTP/0.9": {"GET /v1/store HTTP/0.9", "505 -"}, "HTTP/1.2": {"GET /healthz HTTP/1.2", "200"}, "HTTP/2.0": {"GET /v1/store HTTP/2.0", "505 -"}, "HTTP/3.0": {"GET /v1/store HTTP/3.0", "505 -"}, "HTTP/9999.1": {"GET /v1/store HTTP/9999.1", "400 -"}, "a version of letters": {"GET /v1/store HTTP/a.b", "400 -"},
		"another protocol": {"GET /v1/store ICY/1.0", "400 -"}, "two targets": {"GET /v1/store /v1/prompts HTTP/1.1", "400 -"}, "a raw space": {"GET /v1/prompts/a b HTTP/1.1", "400 -"}, "no target": {"GET HTTP/1.1", "400 -"}, "no method": {" /v1/store HTTP/1.1", "400 -"}, "a method that is no token": {"GE(T /v1/store HTTP/1.1", "400 -"},
		"a target without a slash": {"GET v1/store HTTP/1.1", "400 -"}, "a raw NUL": {"GET /v1/\x00 HTTP/1.1", "400 -"}, "an escape cut short": {"GET /v1/prompts/% HTTP/1.1", "400 -"}, "an escape that is none": {"GET /v1/prompts/%zz HTTP/1.1", "400 -"}, "a raw control": {"GET /v1/\x1b[31m HTTP/1.1", "400 -"},
		"a star": {"GET * HTTP/1.1", "404 not_found"}, "options of a star": {"OPTIONS * HTTP/1.1", "200 -"}, "a proxy's CONNECT": {"CONNECT attacker.example:443 HTTP/1.1", "403 forbidden"}, "a fragment": {"GET /v1/store#x HTTP/1.1", "404 not_found"},
		"an absolute target": {"GET http://localhost/v1/store HTTP/1.1", "200"}, "another host's target": {"GET http://attacker.example/v1/store HTTP/1.1", "403 forbidden"}, "another scheme's target": {"GET ftp://localhost/v1/store HTTP/1.1", "200"},
		"an absolute target with a user": {"GET http://u:p@localhost/v1/store HTTP/1.1", "200"}, "an absolute target without a path": {"GET http://localhost HTTP/1.1", "404 not_found"}, "a target without a scheme": {"GET //attacker.example/v1/store HTTP/1.1", "404 not_found"}, "a file": {"GET file:///etc/passwd HTTP/1.1", "404 not_found"},
		"an opaque target": {"GET mailto:x HTTP/1.1", "404 not_found"}, "a query alone": {"GET ?x HTTP/1.1", "400 -"},
	} {
		rows = append(rows, hostile{what: "the line: " + what, raw: x[0] + rest, want: x[1]})
	}
	return rows
}

// hostileHosts are Hosts, which a page that reaches this machine by DNS rebinding
// has of its own.
func hostileHosts() []hostile {
	rows := []hostile{
		{what: "no Host", raw: "GET /v1/store HTTP/1.1\r\nConnection: close\r\n\r\n", want: "400 -"},
		{what: "an empty Host", raw: "GET /v1/store HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", want: "403 forbidden"},
		{what: "two Hosts", raw: "GET /v1/store HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n", want: "400 -"},
		{what: "HTTP/1.0 without a Host", raw: "GET /v1/store HTTP/1.0\r\n\r\n", want: "403 forbidden"},
		{what: "HTTP/1.0", raw: "GET /v1/store HTTP/1.0\r\nHost: localhost\r\n\r\n", want: "403 forbidden"},
		{what: "a Host with NUL", raw: "GET /v1/store HTTP/1.1\r\nHost: local\x00host\r\n\r\n", want: "400 -"},
		{what: "a Host with a path", raw: "GET /v1/store HTTP/1.1\r\nHost: localhost/x\r\n\r\n", want: "400 -"},
		{what: "a Host of 100 KB", raw: "GET /v1/store HTTP/1.1\r\nHost: " + strings.Repeat("x", 100<<10) + "\r\nConnection: close\r\n\r\n", want: "431 -"},
	}
	for _, host := range []string{"attacker.example", "localhost.attacker.example", "attacker.example:80", "127.0.0.1.attacker.example", "10.0.0.1", "0.0.0.0", "[::]", "[::1", "2130706433", "0x7f000001", "attacker.example#localhost", "localhost@attacker.example", "xn--localhost", "169.254.169.254"} {
		want := "403 forbidden"
		if strings.ContainsAny(host, "#@") { // net/http knows that it is none
			want = "400 -"
		}
		rows = append(rows, hostile{what: "the Host " + host, raw: "DELETE /v1/prompts/a?force=true HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n", want: want})
	}
	return rows
}

// hostileFraming are requests whose end two readers may see in different places.
func hostileFraming() []hostile {
	const head = "POST /v1/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	const get, two = `{"refs":["a"]}`, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
	const gotChunked = "e\r\n" + get + "\r\n0\r\n\r\n"
	return []hostile{
		{what: "two lengths", raw: head + "Content-Length: 14\r\nContent-Length: 0\r\n\r\n" + get, want: "400 -"},
		{what: "two lengths in one header", raw: head + "Content-Length: 14, 0\r\n\r\n" + get, want: "400 -"},
		{what: "the same length, twice", raw: head + "Content-Length: 14\r\nContent-Length: 14\r\nConnection: close\r\n\r\n" + get, want: "200"},
		{what: "a length with a sign", raw: head + "Content-Length: +14\r\n\r\n" + get, want: "400 -"},
		{what: "a length below 0", raw: head + "Content-Length: -1\r\n\r\n" + get, want: "400 -"},
		{what: "a length in hex", raw: head + "Content-Length: 0xe\r\n\r\n" + get, want: "400 -"},
		{what: "a length of 2^64", raw: head + "Content-Length: 18446744073709551616\r\n\r\n" + get, want: "400 -"},
		{what: "an empty length", raw: head + "Content-Length:\r\n\r\n" + get, want: "400 -"},
		{what: "a space before the colon", raw: head + "Content-Length : 14\r\n\r\n" + get, want: "400 -"},
		{what: "a length and chunks", raw: head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + gotChunked, want: "200"},
		{what: "a length, chunks and a second request", raw: head + "Content-Length: 24\r\nTransfer-Encoding: chunked\r\n\r\n" + gotChunked + two, want: "200, 200"},
		{what: "chunks that hide a request in the length", raw: head + "Content-Length: 105\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + two, want: "400 invalid, 200"},
		{what: "chunked, twice", raw: head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + gotChunked, want: "501 -"},
		{what: "chunked and identity", raw: head + "Transfer-Encoding: chunked, identity\r\n\r\n" + gotChunked, want: "501 -"},
		{what: "gzip, chunked", raw: head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + gotChunked, want: "501 -"},
		{what: "xchunked", raw: head + "Transfer-Encoding: xchunked\r\n\r\n" + gotChunked, want: "501 -"},
		{what: "chunked with a tab", raw: head + "Transfer-Encoding:\tchunked\r\nConnection: close\r\n\r\n" + gotChunked, want: "200"},
		{what: "chunked with a vertical tab", raw: head + "Transfer-Encoding: \x0bchunked\r\n\r\n" + gotChunked, want: "400 -"},
		{what: "an empty transfer coding", raw: head + "Transfer-Encoding:\r\n\r\n" + gotChunked, want: "501 -"},
		{what: "chunked in HTTP/1.0", raw: strings.Replace(head, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n" + gotChunked, want: "403 forbidden"},
		{what: "a header folded over two lines", raw: head + "X-A: b\r\n c\r\nContent-Length: 14\r\nConnection: close\r\n\r\n" + get, want: "200"},
		{what: "a fold at the first header", raw: "GET /v1/store HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n", want: "400 -"},
		{what: "a header without a colon", raw: head + "Nonsense\r\n\r\n", want: "400 -"},
		{what: "a header without a name", raw: head + ": x\r\n\r\n", want: "400 -"},
		{what: "a header's name that is no token", raw: head + "X@Y: z\r\n\r\n", want: "400 -"},
		{what: "a lone carriage return", raw: head + "X-A: b\rContent-Length: 99\r\n\r\n", want: "400 -"},
		{what: "line feeds alone", raw: "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n", want: "200"},
		{what: "an expectation that is met", raw: head + "Expect: 100-continue\r\nContent-Length: 14\r\nConnection: close\r\n\r\n" + get, want: "100, 200"},
		{what: "an expectation, and a body that is too large", raw: head + "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n…", want: "413 too_large"},
		{what: "a body of a GET", raw: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 14\r\n\r\n" + get, want: "200"},
		{what: "a body that is a request", raw: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 61\r\n\r\n" + "DELETE /v1/prompts/a?force=true HTTP/1.1\r\nHost: localhost\r\n\r\n" + two, want: "200, 200"},
		{what: "a length that hides a request", raw: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" + two, want: "200, 200"},
	}
}

// hostileGarbage is what is no HTTP, or not all the way.
func hostileGarbage() []hostile {
	const one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	return []hostile{
		{what: "a line's end", raw: "\r\n", want: "400 -"},
		{what: "a request line cut short", raw: "GET /v1/sto", want: "400 -"},
		{what: "a header cut short", raw: "GET /v1/store HTTP/1.1\r\nHost: local", want: "400 -"},
		{what: "zeros", raw: strings.Repeat("\x00", 1000) + "\r\n\r\n", want: "400 -"},
		{what: "bytes", raw: "\xde\xad\xbe\xef\xff\xfe\x80\x81\r\n\r\n", want: "400 -"},
		{what: "1 MB of bytes without a line's end", raw: strings.Repeat("\xaa", 1<<20), want: "431 -"},
		{what: "a TLS hello", raw: "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("\x42", 32) + "\x00\x00\x02\x13\x01\x01\x00\r\n\r\n", want: "400 -"},
		{what: "SSH", raw: "SSH-2.0-OpenSSH_9.9\r\n", want: "400 -"},
		{what: "SMTP", raw: "EHLO attacker.example\r\nMAIL FROM:<a@b>\r\n", want: "400 -"},
		{what: "Redis", raw: "*1\r\n$8\r\nFLUSHALL\r\n", want: "400 -"},
		{what: "a proxy's line", raw: "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + one, want: "400 -"},
		{what: "HTTP/2 without TLS", raw: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", want: "403 forbidden"},
		{what: "an upgrade to HTTP/2", raw: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", want: "200"},
		{what: "a good request and garbage", raw: one + "\xde\xad\xbe\xef\r\n\r\n", want: "200, 400 -"},
		{what: "a good request and a broken one", raw: one + "GET /v1/store HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", want: "200, 400 -"},
		{what: "a good request and a body that nobody announced", raw: one + `{"ops":[{"clear":{}}]}` + "\r\n\r\n", want: "200, 400 -"},
		{what: "fifty requests at once", raw: strings.Repeat(one, 50), want: strings.TrimSuffix(strings.Repeat("200, ", 50), ", ")},
		{what: "a refused body and a request behind it", raw: "POST /v1/commits HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 44\r\n\r\n" + "GET /healthz HTTP/1.1\r\nHost: attacker.ex\r\n\r\n" + one, want: "415 invalid, 200"},
	}
}

// hostileSlow are requests that come slower than they may, or wait for what does not
// come. A server that waits is told by "…" not to expect the end.
func hostileSlow() []hostile {
	return []hostile{
		{what: "a header that never ends", raw: "GET /v1/store HTTP/1.1\r\nHost: localhost\r\nX-A: …", want: "nothing"},
		{what: "a line that never ends", raw: "GET /v1/…", want: "400 -"},
		{what: "a body that never comes", raw: "POST /v1/commits HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n…", want: "503 unavailable"},
		{what: "a body that stops", raw: "POST /v1/commits HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{…", want: "503 unavailable"},
		{what: "a chunk that never comes", raw: "POST /v1/commits HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n…", want: "503 unavailable"},
		{what: "an expectation, and another type", raw: "POST /v1/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n…", want: "415 invalid"},
		{what: "a stream with a body that never comes", raw: "GET /v1/changes HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Length: 100\r\n\r\n…", want: "400 invalid"},
		{what: "a body that nobody reads", raw: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n…", want: "200"},
		{what: "a revision that may never come", line: "GET /v1/prompts/a/versions/latest?min_revision=1000000", want: "503 unavailable"},
		{what: "a list of a revision that may never come", line: "GET /v1/prompts?min_revision=9223372036854775807", want: "503 unavailable"},
		{what: "a stream of a revision that may never come", line: "GET /v1/changes?min_revision=1000000", head: "Accept: text/event-stream", want: "503 unavailable"},
		{what: "changes of a revision that may never come", line: "GET /v1/changes?min_revision=1000000", want: "503 unavailable"},
	}
}
