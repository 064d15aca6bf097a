package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	verrors "github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/memory"
)

// A rulebook checks exchanges against openapi.yaml, and remembers which of its answers it
// has seen.
type rulebook struct {
	doc   *v3.Document
	check validator.Validator

	mu   sync.Mutex
	seen map[string]bool // "GET /v1/store 200 application/json"
}

var readRulebook = sync.OnceValues(func() (*rulebook, error) { return newRulebook(contract) })

func newRulebook(yaml []byte) (*rulebook, error) {
	doc, err := libopenapi.NewDocument(yaml)
	if err != nil {
		return nil, err
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		return nil, err
	}
	check := validator.NewValidatorFromV3Model(&model.Model, config.WithFormatAssertions(), config.WithoutSecurityValidation())
	check.SetDocument(doc)
	return &rulebook{doc: &model.Model, check: check, seen: make(map[string]bool)}, nil
}

// operations calls yield for each operation of the contract, by its path there.
func (b *rulebook) operations(yield func(method, path string, o *v3.Operation)) {
	for p, item := range b.doc.Paths.PathItems.FromOldest() {
		for method, o := range item.GetOperations().FromOldest() {
			yield(strings.ToUpper(method), p, o)
		}
	}
}

// An exchange is a request that was answered.
type exchange struct {
	req     *http.Request
	reqBody string
	res     *http.Response
	body    string // decoded
}

// judge returns what is wrong with an exchange. Pattern is the route that took it.
func (b *rulebook) judge(x *exchange, pattern string) (wrong []string) {
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	code, kind := strconv.Itoa(x.res.StatusCode), x.res.Header.Get("Content-Type")
	method, path, ok := strings.Cut(strings.Replace(pattern, "...}", "}", 1), " ")
	if !ok { // no route, by the path or by the method
		if x.res.StatusCode != 404 && x.res.StatusCode != 405 || kind != "application/problem+json" {
			report("what no route takes is answered with %s %s", code, kind)
		}
		return wrong
	}
	item := b.doc.Paths.PathItems.GetOrZero(path)
	if item == nil || item.GetOperations().GetOrZero(strings.ToLower(method)) == nil {
		return []string{"the route " + pattern + " is not in the contract"}
	}
	o := item.GetOperations().GetOrZero(strings.ToLower(method))
	answer := o.Responses.Codes.GetOrZero(code)
	if answer == nil {
		if answer = o.Responses.Default; answer == nil || x.res.StatusCode < 400 {
			report("the answer %s is not documented", code)
			return wrong
		}
		code = "default"
		// Any request can meet these; what else an operation answers, it says.
		if !slices.Contains([]int{403, 405, 408, 429, 500, 503, 504}, x.res.StatusCode) {
			report("the answer %d is documented only as the default", x.res.StatusCode)
		}
	}
	b.mu.Lock()
	media, _, _ := strings.Cut(kind, ";")
	b.seen[strings.TrimSpace(method+" "+path+" "+code+" "+media)] = true
	b.mu.Unlock()

	// The validator cuts a path at its slashes, encoded or not.
	req := x.req.Clone(x.req.Context())
	u := *x.req.URL
	u.Path, u.RawPath = strings.ReplaceAll(u.EscapedPath(), "%2F", "_"), ""
	if ref, ok := strings.CutPrefix(u.Path, "/p/"); ok {
		u.Path = "/p/" + strings.ReplaceAll(ref, "/", "_")
	}
	req.URL, req.Method = &u, method // HEAD is answered as GET is, but for the body
	add := func(what string, errs []*verrors.ValidationError) {
		for _, e := range errs {
			report("%s: %s: %s", what, e.Message, e.Reason)
			for _, s := range e.SchemaValidationErrors {
				report("%s: %s at %s", what, s.Reason, s.FieldPath)
			}
		}
	}
	if x.res.StatusCode < 400 { // what is taken is documented
		req.Body = io.NopCloser(strings.NewReader(x.reqBody))
		_, errs := b.check.ValidateHttpRequestSyncWithPathItem(req, item, path)
		add("the request", errs)
		for key := range x.req.URL.Query() {
			if !documents(item, o, "query", key) {
				report("the parameter %s is taken and not documented", key)
			}
		}
		for _, key := range []string{"Idempotency-Key", "Stet-Author", "Stet-Message", "X-Confirm", "If-Match", "If-None-Match", "Last-Event-Id"} {
			if x.req.Header.Get(key) != "" && !documents(item, o, "header", key) {
				report("the header %s is taken and not documented", key)
			}
		}
	}
	res := *x.res
	res.Body = io.NopCloser(strings.NewReader(x.body))
	if x.req.Method != http.MethodHead && (x.body != "" || kind != "application/json") {
		_, errs := b.check.GetResponseBodyValidator().ValidateResponseBodyWithPathItem(req, &res, item, path)
		add("the answer", errs)
	}
	if orderedmap.Len(answer.Content) == 0 && x.body != "" {
		report("the answer %s has a body, which is not documented: %.100q", code, x.body)
	}
	for key := range x.res.Header {
		if !strings.HasPrefix(key, "Stet-") && key != "Etag" && key != "Location" && key != "Retry-After" {
			continue
		}
		found := false
		if answer.Headers != nil {
			for name := range answer.Headers.KeysFromOldest() {
				found = found || strings.EqualFold(name, key)
			}
		}
		// What an error came after may have said as of which revision it was.
		if !found && !(x.res.StatusCode >= 400 && (key == "Stet-Revision" || key == "Stet-Version")) {
			report("the header %s of the answer %s is not documented", key, code)
		}
	}
	// What rests on the store says on which state of it.
	if x.res.StatusCode == 404 && strings.HasPrefix(path, "/v1/") && x.res.Header.Get("Stet-As-Of") == "" && !strings.Contains(x.body, "at this path") {
		report("what is not found is not found as of no revision")
	}
	if compresses(answer) && !strings.HasPrefix(kind, "text/event-stream") {
		etag, given := x.res.Header.Get("Etag"), x.res.Header.Get("Content-Encoding")
		switch asked := x.req.Header.Get("Accept-Encoding"); {
		case x.req.Method == http.MethodHead || asked != "gzip" && asked != "zstd" || len(x.body) < minCompress:
		case given != asked:
			report("%d bytes are asked for in %s and come as %q", len(x.body), asked, given)
		case etag != "" && !strings.HasSuffix(etag, "-"+asked+`"`):
			report("the tag %s is of another form than %s", etag, asked)
		default:
			b.mu.Lock()
			b.seen[method+" "+path+" compressed"] = true
			b.mu.Unlock()
		}
	}
	return wrong
}

// compresses reports whether an answer comes in the codings that are asked for: then it
// says that it depends on them.
func compresses(answer *v3.Response) bool {
	return answer.Headers != nil && answer.Headers.GetOrZero("Vary") != nil
}

func documents(item *v3.PathItem, o *v3.Operation, in, name string) bool {
	var shared []*v3.Parameter
	if item != nil {
		shared = item.Parameters
	}
	return slices.ContainsFunc(slices.Concat(shared, o.Parameters), func(p *v3.Parameter) bool {
		return p.In == in && strings.EqualFold(p.Name, name)
	})
}

// A peer talks to a server over a real socket, and checks every exchange against the
// contract.
type peer struct {
	t     *testing.T
	api   *Server
	store *stet.Store
	url   string
	rules *rulebook
	http  *http.Client
}

// newPeer starts a server over a store, a new one in memory if nil.
func newPeer(t *testing.T, store *stet.Store, o Options) *peer {
	t.Helper()
	rules, err := readRulebook()
	if err != nil {
		t.Fatal(err)
	}
	if store == nil {
		if store, err = memory.Open(nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
	}
	p := &peer{t: t, api: New(store, &o), store: store, rules: rules}
	server := httptest.NewServer(p.api)
	t.Cleanup(func() { p.api.Close(); server.Close() })
	p.url = server.URL
	p.http = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(p.http.CloseIdleConnections)
	return p
}

// do makes a request; headers are name, value, …. Host is the one that is not a
// header to net/http. A body is JSON unless a header says otherwise.
func (p *peer) do(method, path, body string, headers ...string) *exchange {
	p.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, p.url+path, r)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != "" || method == "POST" || method == "PUT" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := p.http.Do(req)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	x := &exchange{req: req, reqBody: body, res: res}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		x.body = "a stream" // it would not end
	} else {
		x.body = p.decode(res)
	}
	pattern := p.api.patternOf(req)
	for _, w := range p.rules.judge(x, pattern) {
		p.t.Errorf("%s %s → %d: %s", method, path, res.StatusCode, w)
	}
	return x
}

// patternOf returns "GET /v1/prompts/{id}", or "/" where no route is.
func (s *Server) patternOf(r *http.Request) string {
	if e := s.find(r); e != s.nowhere {
		return e.name()
	}
	return "/"
}

func (p *peer) decode(res *http.Response) string {
	p.t.Helper()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(raw) == 0 {
		return ""
	}
	var r io.Reader
	switch c := res.Header.Get("Content-Encoding"); c {
	case "":
		return string(raw)
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(raw))
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1)); err == nil {
			defer d.Close()
			r = d
		}
	default:
		err = fmt.Errorf("the coding %q", c)
	}
	if err == nil {
		raw, err = io.ReadAll(r)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return string(raw)
}

// ok is do for what must be answered with a status.
func (p *peer) ok(status int, method, path, body string, headers ...string) *exchange {
	p.t.Helper()
	x := p.do(method, path, body, headers...)
	if x.res.StatusCode != status {
		p.t.Fatalf("%s %s %s: %d, not %d: %s", method, path, body, x.res.StatusCode, status, x.body)
	}
	return x
}

// json returns the body as JSON.
func (x *exchange) json() (m map[string]any) {
	if json.Unmarshal([]byte(x.body), &m) != nil {
		return nil
	}
	return m
}

// get returns a header.
func (x *exchange) get(key string) string { return x.res.Header.Get(key) }
