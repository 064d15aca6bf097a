package httpapi

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet/httpapi/keys"
)

// TestProxied: without keys nothing is answered that a proxy forwards: whom it speaks
// for is not on this machine, though its connection and its Host say so.
func TestProxied(t *testing.T) {
	ring, err := keys.Open(filepath.Join(t.TempDir(), "keys"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	for name, o := range map[string]Options{"no ring": {}, "no key yet": {Keys: ring}, "a name given": {Hosts: []string{"stet.example"}}} {
		s := New(openMemory(t), &o)
		defer s.Close()
		ask := func(header, value, proto, host string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/v1/prompts", nil)
			r.Host = host
			r.Header[http.CanonicalHeaderKey(header)] = []string{value}
			if proto == "HTTP/1.0" {
				r.Proto, r.ProtoMajor, r.ProtoMinor = proto, 1, 0
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w
		}
		for _, header := range []string{
			"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Anything", "X-Forwarded", "Forwarded-For", "X-Forwarder-For",
			"X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Remote-IP", "X-Remote-Addr", "Client-IP", "X-ProxyUser-IP", "X-Original-For", "X-Original-Host",
			"X-Original-Forwarded-For", "X-Original-URI", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "CF-Ray", "CDN-Loop", "Fastly-Client-IP", "Fly-Client-IP",
			"X-Azure-ClientIP", "X-Azure-SocketIP", "X-Envoy-External-Address", "X-Appengine-User-IP",
		} {
			for _, value := range []string{"203.0.113.9", ""} {
				w := ask(header, value, "HTTP/1.1", "localhost:7838")
				if body := w.Body.String(); w.Code != 403 || !strings.Contains(body, `"forbidden"`) || !strings.Contains(body, "stet key create") {
					t.Errorf("%s: %s %q is answered: %d %s", name, header, value, w.Code, body)
				}
			}
		}
		if w := ask("Connection", "close", "HTTP/1.0", "localhost:7838"); w.Code != 403 || !strings.Contains(w.Body.String(), "stet key create") {
			t.Errorf("%s: a request as nginx makes it by default is answered: %d %s", name, w.Code, w.Body)
		}
		for _, header := range []string{"User-Agent", "X-Request-Id", "X-Confirm", "Cf", "X-Original", "X-Realm", "Viable"} {
			if w := ask(header, "1", "HTTP/1.1", "localhost:7838"); w.Code != 200 {
				t.Errorf("%s: %s is refused: %d %s", name, header, w.Code, w.Body)
			}
		}
		// The owner comes through the private socket, which no proxy of others does.
		r := httptest.NewRequest("GET", "/v1/prompts", nil)
		r.Header.Set("Via", "1.1 a")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r.WithContext(Private(r.Context(), nil)))
		if w.Code != 200 {
			t.Errorf("%s: the private socket is refused: %d %s", name, w.Code, w.Body)
		}
	}
	k := newKeyed(t, openMemory(t), Options{})
	if r := k.ask("reader", ask{method: "GET", path: "/v1/prompts", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}, "Via": {"1.1 a"}}}); r.status != 200 {
		t.Errorf("with keys a proxy is refused: %d %s", r.status, r.body)
	}
}

// TestWholeStoreForPages: what reads the whole store, or waits for what comes to it,
// is not begun without a key because a page of another site says so, though the page
// would never see the answer.
func TestWholeStoreForPages(t *testing.T) {
	const app = "https://app.example"
	s := New(openMemory(t), &Options{CORS: []string{app}, tempDir: t.TempDir()})
	defer s.Close()
	pages := map[string]struct {
		header map[string]string
		ok     bool
	}{
		"no browser":                     {nil, true},
		"typed by a person":              {map[string]string{"Sec-Fetch-Site": "none"}, true},
		"its own page":                   {map[string]string{"Sec-Fetch-Site": "same-origin", "Referer": "http://localhost:7838/"}, true},
		"its own page, an old browser":   {map[string]string{"Referer": "http://localhost:7838/p/a"}, true},
		"a listed page":                  {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": app}, true},
		"an image":                       {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, false},
		"a link":                         {map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, false},
		"another port":                   {map[string]string{"Sec-Fetch-Site": "same-site"}, false},
		"fetch":                          {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false},
		"fetch, an old browser":          {map[string]string{"Origin": "https://evil.example"}, false},
		"a page without origin":          {map[string]string{"Origin": "null"}, false},
		"an image, an old browser":       {map[string]string{"Referer": "https://evil.example/a"}, false},
		"its port, an old browser":       {map[string]string{"Referer": "http://localhost:1/a"}, false},
		"a referrer that is no address":  {map[string]string{"Referer": "::"}, false},
		"a listed name that begins so":   {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": app + ".evil.example"}, false},
		"a site that nobody knows":       {map[string]string{"Sec-Fetch-Site": "other"}, false},
		"says two things of where it is": {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, true}, // no page can set the first
	}
	for name, page := range pages {
		for _, path := range []string{"/v1/export", "/v1/%65xport", "/v1/backup", "/v1/changes", "/v1/changes?since=0&texts=true", "/v1/verify", "/v1/replay"} {
			for _, method := range []string{"GET", "HEAD"} {
				r := httptest.NewRequest(method, path, nil)
				r.Host = "localhost:7838"
				for h, v := range page.header {
					r.Header.Set(h, v)
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if (w.Code != 403) != page.ok {
					t.Errorf("%s, %s %s: %d %.200s", name, method, path, w.Code, w.Body)
				}
			}
		}
	}
	k := newKeyed(t, openMemory(t), Options{})
	if r := k.ask("admin of *", ask{method: "GET", path: "/v1/export", header: http.Header{"Sec-Fetch-Site": {"cross-site"}}}); r.status != 200 {
		t.Errorf("with a key: %d %s", r.status, r.body)
	}
}
