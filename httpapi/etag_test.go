package httpapi

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// TestTagsOfCodings: each coding of an answer has a tag of its own, and
// If-None-Match takes every one of them, whatever coding the request asks for.
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

// TestTagsOfScopes: what keys with different prompts see differently has different tags,
// and what they see alike has one. Either serves as the condition of a move.
func TestTagsOfScopes(t *testing.T) {
	wide := keys.Key{Name: "wide", Role: keys.Writer, Prompts: []string{"in/*", "out/b"}}
	k := newKeyed(t, openMemory(t), Options{}, wide)
	k.commit(stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/a", Text: "1"}}, {Save: &stet.Draft{PromptID: "out/b", Text: "1"}}, {Save: &stet.Draft{PromptID: "out/c", Text: "1"}}}})
	k.commit(stet.Commit{Ops: []stet.Op{{Save: &stet.Draft{PromptID: "in/child", Text: "1", Parents: []string{"out/b@1.0.0", "out/c@1.0.0"}, Labels: []string{"beta"}}}}})
	for _, tt := range []struct {
		path  string
		alike bool
	}{
		{"/v1/prompts", false},
		{"/v1/prompts/in%2Fchild/versions", false},
		{"/v1/prompts/in%2Fchild/versions/latest", false},
		{"/v1/prompts/in%2Fchild/diff?from=1.0.0", false},
		{"/v1/prompts/in%2Fa/versions/latest", true},
		{"/v1/prompts/in%2Fa", true},
		{"/p/in/child", true},
	} {
		tags := make(map[string]string) // by what the keys are for
		for _, x := range [][2]string{{"writer", "in"}, {"reader", "in"}, {"wide", "wide"}, {"writer of *", "*"}, {"reader of *", "*"}} {
			key, scope := x[0], x[1]
			r := k.ask(key, ask{method: "GET", path: tt.path})
			tag := r.header.Get("ETag")
			if tag == "" || r.status != 200 {
				t.Fatalf("%s, %s: %d without a tag", tt.path, key, r.status)
			}
			if before := tags[scope]; before != "" && before != tag {
				t.Errorf("%s: two keys for the same prompts have the tags %s and %s", tt.path, tag, before)
			}
			tags[scope] = tag
			if same := k.ask("wide", ask{method: "GET", path: tt.path, header: http.Header{"If-None-Match": {tag}}}); (same.status == 304) != (tt.alike || key == "wide") {
				t.Errorf("%s: with the tag %s of %q, another key is answered %d", tt.path, tag, key, same.status)
			}
		}
		different := make(map[string]bool)
		for _, tag := range tags {
			different[tag] = true
		}
		if tt.alike != (len(different) == 1) || !tt.alike && len(different) != 3 {
			t.Errorf("%s: the tags are %v", tt.path, tags)
		}
	}
	beta := pathOf("in/child", "/labels/beta")
	for _, key := range []string{"writer", "wide", "writer of *"} {
		tag := k.ask(key, ask{method: "GET", path: pathOf("in/child", "/versions/beta")}).header.Get("ETag")
		if r := k.ask("writer", ask{method: "PUT", path: beta, body: map[string]string{"version": "1.0.0"}, header: http.Header{"If-Match": {tag}}}); r.status != 200 {
			t.Errorf("the tag %s of %s is no condition: %d %s", tag, key, r.status, r.body)
		}
	}
}

// A lostWriter is an answer on its way that is given up while the connection still
// reads what was written, as net/http does over HTTP/2.
type lostWriter struct {
	http.ResponseWriter
	kept []byte
}

func (w *lostWriter) Write(p []byte) (int, error) {
	w.kept = p
	return 0, errors.New("the stream was reset")
}

// TestLostAnswersAreLeftAlone: nobody writes into the buffer of an answer after its
// writing failed.
func TestLostAnswersAreLeftAlone(t *testing.T) {
	store := openMemory(t)
	if _, err := store.Save(t.Context(), stet.Draft{PromptID: "a", Text: "first"}); err != nil {
		t.Fatal(err)
	}
	s := New(store, nil)
	defer s.Close()
	get := func(w http.ResponseWriter, path string) {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "localhost"
		s.ServeHTTP(w, r)
	}
	for _, path := range []string{"/v1/prompts/a/versions/latest", "/p/a", "/v1/prompts"} {
		w := &lostWriter{ResponseWriter: httptest.NewRecorder()}
		get(w, path)
		before := bytes.Clone(w.kept)
		for range 20 {
			get(httptest.NewRecorder(), "/v1/prompts/a/versions")
		}
		if len(before) == 0 || !bytes.Equal(before, w.kept) {
			t.Errorf("%s: %q has become %q", path, before, w.kept)
		}
	}
}

// TestPastHeadTags: the heads of two past states have two tags, though of neither the last
// change is told.
func TestPastHeadTags(t *testing.T) {
	p := newPeer(t, nil, Options{})
	for range 3 {
		p.ok(201, "POST", "/v1/prompts/a/versions", `{"text":"x","bump":"minor"}`)
	}
	first := p.ok(200, "GET", "/v1/prompts/a?at=1", "").get("ETag")
	p.ok(304, "GET", "/v1/prompts/a?at=1", "", "If-None-Match", first)
	p.ok(200, "GET", "/v1/prompts/a?at=2", "", "If-None-Match", first)
}
