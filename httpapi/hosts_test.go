package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
)

// TestHosts: without keys a request must be for this machine, by a name that no
// page of the web can have.
func TestHosts(t *testing.T) {
	s := New(openMemory(t), &Options{Hosts: []string{"stet.lan", "other.lan:8080"}})
	defer s.Close()
	for host, status := range map[string]int{
		"localhost": 200, "localhost:7838": 200, "LOCALHOST:1": 200, "localhost.": 200, "127.0.0.1": 200, "127.0.0.1:7838": 200, "[::1]": 200, "[::1]:7838": 200,
		"127.1.2.3:1": 200, "stet.lan": 200, "stet.lan:7838": 200, "STET.LAN": 200, "other.lan:8080": 200,
		"": 403, "evil.example": 403, "evil.example:7838": 403, "localhost.evil.example": 403, "evil.example:localhost": 403, "127.0.0.1.evil.example": 403,
		"192.168.0.1": 403, "[fe80::1]": 403, "0.0.0.0": 403, "[::]": 403, "other.lan": 403, "stet.lan.evil.example": 403, "localhost@evil.example": 403, "0x7f000001": 403, "2130706433": 403,
	} {
		for _, path := range []string{"/v1/prompts", "/p/a", "/healthz", "/nothing"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if (w.Code == 403) != (status == 403) || w.Code == 403 && !strings.Contains(w.Body.String(), `"forbidden"`) {
				t.Errorf("%s for %q: %d %s", path, host, w.Code, w.Body)
			}
		}
	}
	// With keys the name may be any: what guards is the key.
	k := newKeyed(t, openMemory(t), Options{})
	res := k.send("reader", ask{method: "GET", path: "/v1/prompts"})
	res.Body.Close()
	r, err := http.NewRequest("GET", k.url+"/v1/prompts", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "prompts.example"
	r.Header.Set("Authorization", "Bearer "+k.keys["reader"])
	if res, err = http.DefaultTransport.RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 200 {
		t.Errorf("with keys: %d", res.StatusCode)
	}
}

// TestOrigins: a page of another origin changes nothing and reads nothing, unless
// its origin is listed.
func TestOrigins(t *testing.T) {
	const app, evil = "https://app.example", "https://evil.example"
	for _, tt := range []struct {
		name         string
		cors         []string
		method       string
		site, origin string
		status       int
		allowed      string // Access-Control-Allow-Origin
		preflight    bool
	}{
		{"no browser", nil, "POST", "", "", 201, "", false},
		{"its own page", nil, "POST", "same-origin", "http://localhost:7838", 201, "", false},
		{"typed by a person", nil, "POST", "none", "", 201, "", false},
		{"another page", nil, "POST", "cross-site", evil, 403, "", false},
		{"another page, of the site", nil, "POST", "same-site", "http://localhost:9999", 403, "", false},
		{"another page, an old browser", nil, "POST", "", evil, 403, "", false},
		{"a page without origin", nil, "POST", "", "null", 403, "", false},
		{"a site that nobody knows", nil, "POST", "other", "", 403, "", false},
		{"another port", nil, "POST", "", "http://localhost:1", 403, "", false},
		{"a delete", nil, "DELETE", "cross-site", evil, 403, "", false},
		{"a read", nil, "GET", "cross-site", evil, 200, "", false},
		{"a preflight", nil, "OPTIONS", "cross-site", evil, 405, "", true},

		{"a listed page", []string{app}, "POST", "cross-site", app, 201, app, false},
		{"a listed page reads", []string{app}, "GET", "cross-site", app, 200, app, false},
		{"a listed page's preflight", []string{app}, "OPTIONS", "cross-site", app, 204, app, true},
		{"a page that is not listed", []string{app}, "POST", "cross-site", evil, 403, "", false},
		{"its preflight", []string{app}, "OPTIONS", "cross-site", evil, 405, "", true},
		{"one that begins so", []string{app}, "POST", "cross-site", app + ".evil.example", 403, "", false},
		{"every page", []string{"*"}, "POST", "cross-site", evil, 403, "", false},
		{"every page reads", []string{"*"}, "GET", "cross-site", evil, 200, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := New(openMemory(t), &Options{CORS: tt.cors})
			defer s.Close()
			path, body := "/v1/prompts/a/versions", `{"text":"x"}`
			if tt.method == "DELETE" {
				path, body = "/v1/prompts/a", ""
			}
			if tt.method == "GET" {
				path, body = "/v1/prompts", ""
			}
			r := httptest.NewRequest(tt.method, path, strings.NewReader(body))
			r.Host = "localhost:7838"
			for h, v := range map[string]string{"Sec-Fetch-Site": tt.site, "Origin": tt.origin} {
				if v != "" {
					r.Header.Set(h, v)
				}
			}
			if body != "" {
				r.Header.Set("Content-Type", "application/json")
			}
			if tt.preflight {
				r.Header.Set("Access-Control-Request-Method", "POST")
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			h := w.Header()
			if w.Code != tt.status || h.Get("Access-Control-Allow-Origin") != tt.allowed || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%d %v %s", w.Code, h, w.Body)
			}
			if tt.cors != nil && !strings.Contains(strings.Join(h["Vary"], ","), "Origin") {
				t.Errorf("a cache gives it to other origins: Vary %q", h["Vary"])
			}
			if tt.status == 204 && !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
				t.Errorf("%v", h)
			}
			if tail, err := s.store.Tail(t.Context()); err != nil || (tail.Revision == 1) != (tt.status == 201) {
				t.Errorf("the revision is %d, %v", tail.Revision, err)
			}
		})
	}
}

func TestCheckOrigin(t *testing.T) {
	for origin, ok := range map[string]bool{
		"https://app.example": true, "http://localhost:3000": true, "https://[::1]:8443": true,
		"": false, "*": false, "null": false, "app.example": false, "https://app.example/": false, "https://app.example/path": false, "https://app.example?x": false, "https://": false,
	} {
		if err := CheckOrigin(origin); (err == nil) != ok || !ok && stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
