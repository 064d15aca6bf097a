package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// A keyed is a server with keys on a real socket.
type keyed struct {
	t     *testing.T
	store *stet.Store
	api   *Server
	url   string
	file  string            // of the keys
	keys  map[string]string // secrets by name
	n     int               // of fixtures
}

var guarded = []string{"in/guarded/*", "out/guarded/*"}

// newKeyed starts a server with the keys of the table, and those given.
func newKeyed(t *testing.T, store *stet.Store, o Options, more ...keys.Key) *keyed {
	t.Helper()
	k := &keyed{t: t, store: store, file: filepath.Join(t.TempDir(), "keys"), keys: make(map[string]string)}
	if err := keys.Update(t.Context(), k.file, func(f *keys.File) error {
		all := more
		for _, r := range keys.Roles {
			var labels []string
			if r == keys.Promoter {
				labels = []string{"beta", "production"}
			}
			all = append(all, keys.Key{Name: string(r), Role: r, Prompts: []string{"in/*"}, Labels: labels},
				keys.Key{Name: string(r) + " of *", Role: r, Prompts: []string{"*"}, Labels: labels})
		}
		for _, key := range all {
			made, secret, err := f.Create(key, time.Now())
			if err != nil {
				return err
			}
			k.keys[made.Name] = secret
		}
		for _, p := range guarded {
			for _, l := range []string{"locked", "production"} {
				if _, err := f.Protect(keys.Protection{Prompts: p, Label: l}); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(k.file, &keys.Options{Log: slog.New(slog.DiscardHandler), Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	o.Keys, o.tempDir = ring, t.TempDir()
	if o.Limits == (Limits{}) {
		o.Limits = Limits{Rate: -1, attemptRate: -1}
	}
	s := New(store, &o)
	server := httptest.NewServer(s)
	k.api, k.url = s, server.URL
	t.Cleanup(func() {
		s.Drain()
		server.Close()
		s.Close()
		ring.Close()
	})
	return k
}

// id returns the id of a key by its name.
func (k *keyed) id(name string) string { return k.keys[name][5:13] }

// An ask is a request.
type ask struct {
	method, path string
	body         any
	header       http.Header
}

// A reply is its answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	code   string
	op     int
}

// ask makes a request with a key, "" for none.
func (k *keyed) ask(key string, a ask) reply {
	k.t.Helper()
	res := k.send(key, a)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	r := reply{status: res.StatusCode, header: res.Header, body: body, op: -1}
	if res.Header.Get("Content-Type") == "application/problem+json" {
		p := struct {
			Code string
			Op   *int
		}{}
		if err := json.Unmarshal(body, &p); err != nil {
			k.t.Fatal(err)
		}
		if r.code = p.Code; p.Op != nil {
			r.op = *p.Op
		}
	}
	return r
}

func (k *keyed) send(key string, a ask) *http.Response {
	k.t.Helper()
	var body io.Reader
	switch b := a.body.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			k.t.Fatal(err)
		}
		body = bytes.NewReader(j)
	}
	r, err := http.NewRequestWithContext(k.t.Context(), a.method, k.url+a.path, body)
	if err != nil {
		k.t.Fatal(err)
	}
	for name, v := range a.header {
		r.Header[name] = v
	}
	if r.Header["Content-Type"] == nil && a.method != "GET" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+k.keys[key])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		k.t.Fatal(err)
	}
	return res
}

func (k *keyed) commit(c stet.Commit) stet.Done {
	k.t.Helper()
	done, err := k.store.Commit(k.t.Context(), c)
	if err != nil {
		k.t.Fatal(err)
	}
	return done
}

func (k *keyed) revision() uint64 {
	tail, err := k.store.Tail(context.Background())
	if err != nil {
		k.t.Fatal(err)
	}
	return tail.Revision
}
