package httpapi

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stet-dev/stet"
)

// A call is one request to a route, and its caller's access.
type call struct {
	s     *Server
	route *endpoint
	w     http.ResponseWriter
	r     *http.Request
	path  [maxWildcards]string // the values of the route's wildcards
	a     *access
	// mark is the suffix of a version's tag for a caller who sees a part of the version.
	mark string
	// before is a revision that the store had before the call began to read.
	before uint64
}

// call makes a handler of a route. It authenticates the caller, and answers with the error
// if the route fails.
func (s *Server) call(e *endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{s: s, route: e, w: w, r: r}
		c.path, _ = e.match(r)
		err := c.enter()
		if err == nil {
			if err = c.carryOut(); err != nil && e.may != anybody {
				c.refusedAsOf()
			}
		}
		if err != nil {
			s.problem(w, r, err)
		}
	})
}

// enter authenticates the caller, counts the request against the caller's rate, and
// refuses a caller who lacks the route's right.
func (c *call) enter() error {
	if c.route.may == anybody {
		c.a = everything
		if rec := recorderOf(c.w); rec != nil {
			c.s.unknownCaller(rec, c.r)
		}
		return nil
	}
	a, err := c.s.access(c.r)
	if err = c.s.admit(c.w, c.r, a, err); err != nil {
		return err
	}
	c.a = a
	if err := c.reservation().assign(c.caller()); err != nil {
		c.countRefusal("share")
		return err
	}
	return c.a.may(c.route.may, c.pathValue("id"))
}

// caller names the share that the request is counted against: the key's, or the address's.
func (c *call) caller() string {
	if c.a.grant != nil {
		return "key " + c.a.grant.ID() // no address
	}
	return remote(c.r)
}

// carryOut runs the route within its time limit.
func (c *call) carryOut() error {
	if c.route.work {
		ctx, cancel := context.WithTimeout(c.ctx(), workTime)
		defer cancel()
		c.r = c.r.WithContext(ctx)
	}
	large := c.route.kind == kindLarge
	if large {
		ctx, stop := c.a.withLifetime(c.ctx()) // it may outlast the key
		defer stop()
		c.r = c.r.WithContext(ctx)
	}
	if c.route.may != anybody {
		tail, err := c.s.store.Tail(c.ctx())
		if err != nil {
			return err
		}
		c.before = tail.Revision
	}
	err := c.route.answer(c)
	if err == nil {
		return nil
	}
	if err = c.a.scopeError(err); large && expired(c.a) {
		err = c.a.expiredError() // which is why the wait ended
	}
	return err
}

func (c *call) ctx() context.Context { return c.r.Context() }

// pathValue returns the value of a wildcard of the route, "" if it has none of that name.
func (c *call) pathValue(name string) string {
	if i := slices.Index(c.route.names, name); i >= 0 {
		return c.path[i]
	}
	return ""
}

// id returns the prompt that the path names. It fails if the caller may not read it.
func (c *call) id() (string, error) {
	id := c.pathValue("id")
	if strings.IndexByte(id, '@') >= 0 { // a reference would end the id there
		return "", stet.CheckID(id)
	}
	return id, c.a.mayRead(id)
}

// writeID returns the prompt that the path names. The commit checks the caller's rights on
// it.
func (c *call) writeID() string { return c.pathValue("id") }

// params are the parameters of a query, each given once.
type params map[string]string

// params reads the query. An unknown parameter is invalid, and so is one given twice:
// either would make the server guess.
func (c *call) params(known ...string) (params, error) {
	raw := c.r.URL.RawQuery
	if raw == "" {
		return nil, nil
	}
	p := make(params)
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		key, v, _ := strings.Cut(pair, "=")
		// A name is not unescaped: a proxy that looks at the query must see the same
		// names in it.
		if !slices.Contains(known, key) {
			there := "This takes none."
			if len(known) > 0 {
				there = "There is: " + strings.Join(known, ", ") + "."
			}
			return nil, stet.Errorf(stet.CodeInvalid, "there is no parameter %q here. %s", key, there)
		}
		value, err := url.QueryUnescape(v)
		if err != nil || !utf8.ValidString(value) {
			return nil, stet.Errorf(stet.CodeInvalid, "the parameter %s is %q, which is not UTF-8, percent-encoded.", key, v)
		}
		if _, twice := p[key]; twice {
			return nil, stet.Errorf(stet.CodeInvalid, "the parameter %s is given twice. Give it once.", key)
		}
		p[key] = value
	}
	return p, nil
}

// revision reads a parameter that is a revision; 0 if it is not there.
func (p params) revision(key string) (uint64, error) {
	v, ok := p[key]
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseUint(v, 10, 63)
	if err != nil {
		return 0, stet.Errorf(stet.CodeInvalid, "%s is %q, which is not a revision. Write a whole number.", key, v)
	}
	return n, nil
}

// flag reads a parameter that is true or false; false if it is not there.
func (p params) flag(key string) (bool, error) {
	switch v, ok := p[key]; {
	case !ok || v == "false":
		return false, nil
	case v == "true":
		return true, nil
	default:
		return false, stet.Errorf(stet.CodeInvalid, "%s is %q. Write true or false.", key, v)
	}
}

// limit reads the parameter limit; 0 if it is not there.
func (p params) limit() (int, error) {
	v, ok := p["limit"]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || v[0] == '+' || n < 1 || n > stet.MaxLimit {
		return 0, stet.Errorf(stet.CodeInvalid, "limit is %q. Ask for 1 to %d.", v, stet.MaxLimit)
	}
	return n, nil
}

// read reads the parameters min_revision and at.
func (p params) read() (o stet.ReadOptions, err error) {
	if len(p) == 0 {
		return o, nil
	}
	if o.MinRevision, err = p.revision("min_revision"); err != nil {
		return o, err
	}
	v, ok := p["at"]
	if !ok {
		return o, nil
	}
	if n, err := strconv.ParseUint(v, 10, 63); err == nil && n > 0 && v[0] != '0' {
		o.At.Revision = n
		return o, nil
	}
	if o.At.Time, err = time.Parse(time.RFC3339, v); err != nil || o.At.Time.IsZero() {
		return o, stet.Errorf(stet.CodeInvalid, "at is %q, which is neither a revision nor a time. Write 812, or 2026-11-23T15:04:05Z.", v)
	}
	return o, nil
}

// reads begins a read that answers with a type. It takes the known parameters, and returns
// them and the options that they give.
func (c *call) reads(kind string, known ...string) (p params, o stet.ReadOptions, err error) {
	if _, err = c.accepts(kind); err != nil {
		return nil, o, err
	}
	if p, err = c.params(known...); err != nil {
		return nil, o, err
	}
	o, err = p.read()
	return p, o, err
}

func (c *call) mediaType(types ...string) error {
	values := c.r.Header["Content-Type"]
	if len(values) == 1 && slices.Contains(types, values[0]) {
		return nil
	}
	if len(values) == 1 {
		kind, p, err := mime.ParseMediaType(values[0])
		charset, given := p["charset"]
		if err == nil && slices.Contains(types, kind) && (!given || strings.EqualFold(charset, "utf-8")) {
			return nil
		}
	}
	return withStatus(http.StatusUnsupportedMediaType, stet.CodeInvalid, "the request must have one header Content-Type: %s, in UTF-8.", strings.Join(types, " or "))
}

// header returns a header that may be given once, "" if it is not there.
func (c *call) header(key string) (string, error) {
	switch v := c.r.Header[key]; len(v) {
	case 0:
		return "", nil
	case 1:
		return v[0], nil
	}
	return "", stet.Errorf(stet.CodeInvalid, "the header %s is given twice. Give it once.", key)
}

// text returns a header that holds percent-encoded UTF-8.
func (c *call) text(key string) (string, error) {
	v, err := c.header(key)
	if err != nil || v == "" {
		return "", err
	}
	s, err := url.PathUnescape(v)
	if err != nil || !utf8.ValidString(s) {
		return "", stet.Errorf(stet.CodeInvalid, "the header %s is not UTF-8, percent-encoded.", key)
	}
	return s, nil
}
