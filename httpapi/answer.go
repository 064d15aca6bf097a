package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/plainjson"
)

// Values of headers that many answers share. They are never changed: net/http only reads a
// header's values.
var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	typeText    = []string{"text/plain; charset=utf-8"}
	typeLines   = []string{"application/x-ndjson"}
	typeBytes   = []string{"application/octet-stream"}
	typeYAML    = []string{"application/yaml"}

	// revalidate: a cache may keep an answer for its own caller, but must ask each time
	// whether it is still valid.
	revalidate = []string{"private, no-cache"}
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	vary       = []string{"Accept-Encoding, Authorization"}
	varyAccept = []string{"Accept, Accept-Encoding, Authorization"}
)

// maxPooled is the largest buffer that the pool keeps, so that a page of long texts does
// not stay in memory for ever.
const maxPooled = 256 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// sendBuffer is send with a body in a buffer of the pool. It returns the buffer to the
// pool, except after an error: HTTP/2 may still read from a write that was given up.
func (c *call) sendBuffer(status int, kind []string, t tag, b *[]byte, body []byte) {
	if err := c.send(status, kind, t, body); err == nil && cap(body) <= maxPooled {
		*b = body[:0]
		buffers.Put(b)
	}
}

// newBuffer returns an empty buffer for an answer of at most size bytes. They are reserved
// at once, because a buffer that grows is held twice while it does.
func (c *call) newBuffer(size int) (*[]byte, []byte, error) {
	if err := c.reserve(size); err != nil {
		return nil, nil, err
	}
	b := buffers.Get().(*[]byte)
	if size <= cap(*b) {
		return b, (*b)[:0], nil
	}
	return b, make([]byte, 0, size), nil
}

// jsonSize returns an upper bound for the bytes of a version's JSON with a comma.
func jsonSize(v stet.Version) int {
	n := 1024 + content.QuotedLen(v.PromptID()) + content.QuotedLen(v.Text()) + len(v.Content().Messages()) + len(v.Content().Config()) +
		len(v.Metadata()) + content.QuotedLen(v.Author()) + content.QuotedLen(v.Message())
	for name := range v.Variables() {
		n += len(name) + len(`"",`)
	}
	for p := range v.Parents() {
		n += content.QuotedLen(p) + len(`"",`)
	}
	return n
}

// asOf sets the revision that the answer is of.
func (c *call) asOf(revision uint64) {
	c.w.Header()["Stet-As-Of"] = []string{strconv.FormatUint(revision, 10)}
}

// fresh reports whether the caller has the answer with this tag already; then it has
// answered 304. It also sets the headers of an answer with a tag.
func (c *call) fresh(t tag) bool {
	c.vary(vary)
	return c.unchanged(t)
}

// unchanged is fresh for an answer that depends on other headers than most.
func (c *call) unchanged(t tag) bool {
	h := c.w.Header()
	h["Cache-Control"] = revalidate
	if values := c.r.Header["If-None-Match"]; values != nil && isGet(c.r.Method) {
		if given, ok := notModified(values, t); ok {
			h["Etag"] = []string{given}
			c.w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// vary adds headers that the answer depends on. Origin may be there already.
func (c *call) vary(values []string) {
	h := c.w.Header()
	if before := h["Vary"]; before != nil {
		values = append(before[:len(before):len(before)], values...)
	}
	h["Vary"] = values
}

func isGet(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// bufferedBytes is how much of an answer net/http holds back. For a shorter answer it sets
// Content-Length itself, outside the map of headers. A version has eight other headers; a
// ninth would make the map grow twice.
const bufferedBytes = 2048

// refusedAsOf sets the revision that an error is of, unless it is set. An error of a read
// is of the revision at its beginning or a later one. An error of a write is of the
// present revision, since it depends on nothing newer.
func (c *call) refusedAsOf() {
	if c.w.Header()["Stet-As-Of"] != nil {
		return
	}
	revision := c.before
	if !c.route.onlyReads(c.r) {
		if tail, err := c.s.store.Tail(c.ctx()); err == nil {
			revision = tail.Revision
		}
	}
	c.asOf(revision)
}

// send answers with a body and its tag, "" for none. It does not keep body after it
// returned without an error. An error is the connection's, and nobody is left to be told.
// If there is no room for a large answer, a read is refused.
func (c *call) send(status int, kind []string, t tag, body []byte) error {
	if c.route.onlyReads(c.r) {
		if err := c.reserve(len(body)); err != nil {
			c.s.problem(c.w, c.r, err)
			return nil
		}
	} else {
		c.reservation().forceReserve(len(body))
	}
	h := c.w.Header()
	h["Content-Type"] = kind
	if len(body) >= minCompress {
		if accept := c.r.Header["Accept-Encoding"]; accept != nil {
			if coding := negotiate(accept); coding != nil {
				var b bytes.Buffer
				z := coding.writer(&b)
				z.Write(body) // into memory: it cannot fail
				z.Close()
				c.reservation().forceReserve(len(body) + b.Cap()) // both are held, and the first was reserved
				body = b.Bytes()
				h["Content-Encoding"] = coding.header
				if t != "" {
					t += coding.suffix
				}
			}
		}
	}
	if t != "" {
		h["Etag"] = []string{t + `"`}
	} else {
		h["Cache-Control"] = noStore
	}
	c.reservation().endBuild()
	if len(body) >= bufferedBytes {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if status != http.StatusOK {
		c.w.WriteHeader(status)
	}
	_, err := c.w.Write(body)
	return err
}

// empty answers without a body.
func (c *call) empty() {
	c.w.Header()["Cache-Control"] = noStore
	c.w.WriteHeader(http.StatusNoContent)
}

// sendPage answers with a page: {NAME:[…],"next","as_of"}. size is how many bytes it may
// have, as far as that is known.
func sendPage[T any](c *call, name string, p *stet.Page[T], size int, add func(dst []byte, item *T) ([]byte, error)) error {
	c.asOf(p.AsOf)
	t := c.s.revisionTag(p.AsOf) + c.a.scopeMark()
	if c.fresh(t) {
		return nil
	}
	b, buf, err := c.newBuffer(size + len(name) + len(p.Next) + 64)
	if err != nil {
		return err
	}
	buf = append(buf, `{"`...)
	buf = append(buf, name...)
	buf = append(buf, `":[`...)
	for i := range p.Items {
		if i > 0 {
			buf = append(buf, ',')
		}
		if buf, err = add(buf, &p.Items[i]); err != nil {
			return err
		}
		if err := c.reserve(cap(buf)); err != nil {
			return err
		}
	}
	buf = append(buf, ']')
	if p.Next != "" {
		buf = append(buf, `,"next":`...)
		buf = content.AppendQuote(buf, p.Next)
	}
	buf = appendAsOf(buf, p.AsOf)
	c.sendBuffer(http.StatusOK, typeJSON, t, b, buf)
	return nil
}

// encode returns v as JSON without the escapes that a web page needs: an answer is not
// one, and prompts are full of tags. All JSON of this package that is not appended by hand
// comes from here: encoding/json.Marshal would escape even what a MarshalJSON has written.
func encode(v any) ([]byte, error) {
	if m, ok := v.(json.Marshaler); ok {
		return m.MarshalJSON()
	}
	b, err := plainjson.Marshal(v)
	if err != nil {
		return nil, stet.WrapError(err, stet.CodeInternal, "the answer could not be encoded: %v.", err)
	}
	return b, nil
}

// appendAsOf ends a JSON object with its as_of.
func appendAsOf(dst []byte, revision uint64) []byte {
	dst = append(dst, `,"as_of":`...)
	dst = strconv.AppendUint(dst, revision, 10)
	return append(dst, '}')
}

// accepts returns the type that the request prefers, the first if it does not say. It
// fails if the request accepts none of the types.
func (c *call) accepts(types ...string) (string, error) {
	values := c.r.Header["Accept"]
	if values == nil || len(values) == 1 && (values[0] == "*/*" || values[0] == types[0]) {
		return types[0], nil
	}
	best, bestQ := "", 0.0
	for _, t := range types {
		if q := wanted(values, t); q > bestQ {
			best, bestQ = t, q
		}
	}
	if best == "" {
		return "", withStatus(http.StatusNotAcceptable, stet.CodeInvalid, "the answer is %s, and the header Accept does not allow that. Leave the header out, or add the type.", strings.Join(types, " or "))
	}
	return best, nil
}

// wanted returns the weight of a type: that of the most specific element that matches it.
func wanted(values []string, kind string) float64 {
	major, _, _ := strings.Cut(kind, "/")
	q, exact := 0.0, 0
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			what, partQ := parseQ(part)
			n := 0
			switch {
			case strings.EqualFold(what, kind):
				n = 3
			case strings.EqualFold(what, major+"/*"):
				n = 2
			case what == "*/*":
				n = 1
			}
			if n > exact {
				q, exact = partQ, n
			}
		}
	}
	return q
}
