package httpapi

import (
	"strings"
	"testing"
)

// TestTagsOfCodings: each coding of an answer has a tag of its own, and
// If-None-Match takes every one of them, whatever coding is asked for now.
func TestTagsOfCodings(t *testing.T) {
	p := newPeer(t, nil, Options{})
	text := strings.Repeat("a text that is worth compressing ", 200)
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"`+text+`"}`)
	for _, path := range []string{"/v1/prompts/a/versions/latest", "/p/a", "/v1/prompts/a/versions"} {
		tags := make(map[string]string)
		for _, accept := range []string{"", "gzip", "zstd", "gzip;q=0.5, zstd;q=0", "br", "identity, gzip;q=0.1", "*;q=0"} {
			want := map[string]string{"gzip": "gzip", "zstd": "zstd", "gzip;q=0.5, zstd;q=0": "gzip"}[accept]
			x := p.ok(200, "GET", path, "", "Accept-Encoding", accept)
			if got := x.get("Content-Encoding"); got != want {
				t.Errorf("%s: %q was asked for, and %q came", path, accept, got)
			}
			if !strings.Contains(x.body, text) {
				t.Errorf("%s, %q: the text is not the text", path, accept)
			}
			if !strings.Contains(x.get("Vary"), "Accept-Encoding") {
				t.Errorf("%s varies with %q", path, x.get("Vary"))
			}
			if before, ok := tags[want]; ok && before != x.get("ETag") {
				t.Errorf("%s: %q has the tags %s and %s", path, want, before, x.get("ETag"))
			}
			tags[want] = x.get("ETag")
		}
		if tags[""] == tags["gzip"] || tags["gzip"] == tags["zstd"] || tags[""] == tags["zstd"] {
			t.Errorf("%s: codings share a tag: %v", path, tags)
		}
		for _, tag := range tags {
			for _, accept := range []string{"", "gzip", "zstd"} {
				for _, header := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
					x := p.ok(304, "GET", path, "", "If-None-Match", header, "Accept-Encoding", accept)
					if got := strings.TrimPrefix(x.get("ETag"), "W/"); header != "*" && got != tag {
						t.Errorf("%s: %s is answered with the tag %s", path, header, got)
					}
				}
			}
		}
	}
	a, b := p.ok(200, "GET", "/v1/prompts/a/versions/latest", "").get("ETag"), p.ok(200, "GET", "/p/a", "").get("ETag")
	if a == b {
		t.Errorf("the version and its text share the tag %s", a)
	}
	for _, none := range []string{`"x"`, a[:len(a)-1], strings.Replace(a, ".1", ".2", 1), b} {
		p.ok(200, "GET", "/v1/prompts/a/versions/latest", "", "If-None-Match", none)
	}
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"another"}`)
	if x := p.ok(200, "GET", "/v1/prompts/a/versions/latest", "", "If-None-Match", a); x.get("ETag") == a {
		t.Error("another version has the same tag")
	}
}

// TestSmallAnswersAreNotCompressed: what fits into two packets is sent as it is.
func TestSmallAnswersAreNotCompressed(t *testing.T) {
	p := newPeer(t, nil, Options{})
	p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"`+strings.Repeat("x", 1500)+`"}`)
	x := p.ok(200, "GET", "/v1/prompts/a/versions/latest", "", "Accept-Encoding", "gzip, zstd")
	if c := x.get("Content-Encoding"); c != "" || x.res.ContentLength != int64(len(x.body)) {
		t.Errorf("coding %q, length %d of %d", c, x.res.ContentLength, len(x.body))
	}
	e := p.ok(200, "GET", "/v1/export", "", "Accept-Encoding", "zstd")
	if e.get("Content-Encoding") != "zstd" || !strings.Contains(e.body, `"stet_export_end"`) {
		t.Errorf("the export has the coding %q and ends with %q", e.get("Content-Encoding"), e.body[max(0, len(e.body)-60):])
	}
}

// TestLengths: every answer with a body says how long it is, whatever its size,
// to HEAD as to GET.
func TestLengths(t *testing.T) {
	p := newPeer(t, nil, Options{})
	for _, size := range []int{1, 1500, 1800, 2047, 2048, 2049, 5000, 100_000} {
		p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"`+strings.Repeat("x", size)+`"}`)
		for _, path := range []string{"/p/a@latest", "/v1/prompts/a/versions/latest"} {
			get, head := p.ok(200, "GET", path, ""), p.ok(200, "HEAD", path, "")
			if get.res.ContentLength != int64(len(get.body)) || head.res.ContentLength != get.res.ContentLength {
				t.Errorf("%s of %d bytes: length %d, %d to HEAD, and %d came", path, size, get.res.ContentLength, head.res.ContentLength, len(get.body))
			}
		}
	}
}
