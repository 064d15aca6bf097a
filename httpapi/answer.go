package httpapi

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// Values of headers that many answers share. Nobody changes them: net/http reads
// a header's values only.
var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	typeText    = []string{"text/plain; charset=utf-8"}
	typeLines   = []string{"application/x-ndjson"}
	typeBytes   = []string{"application/octet-stream"}
	typeYAML    = []string{"application/yaml"}

	// revalidate: a cache may keep an answer for its own caller, and asks each
	// time whether it still holds.
	revalidate = []string{"private, no-cache"}
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	vary       = []string{"Accept-Encoding, Authorization"}
	varyAccept = []string{"Accept, Accept-Encoding, Authorization"}
)

// maxPooled is the largest buffer that is kept: a page of long texts must not
// stay in memory for ever.
const maxPooled = 256 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// sendBuffer is send with a body that is in a buffer of the pool, which gets it back.
// Not after an error: over HTTP/2 a write that was given up may still be read from.
func (c *call) sendBuffer(status int, kind []string, t tag, b *[]byte, body []byte) {
	if err := c.send(status, kind, t, body); err == nil && cap(body) <= maxPooled {
		*b = body[:0]
		buffers.Put(b)
	}
}

// room returns a buffer for an answer of at most so many bytes, which are counted before
// they are there: a buffer that grows is there twice while it does.
func (c *call) room(size int) (*[]byte, []byte, error) {
	if err := c.reserve(size); err != nil {
		return nil, nil, err
	}
	b := buffers.Get().(*[]byte)
	if size <= cap(*b) {
		return b, (*b)[:0], nil
	}
	return b, make([]byte, 0, size), nil
}

// jsonSize returns at least as many bytes as the JSON of a version has, with a comma.
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

// asOf says as of which revision the answer is.
func (c *call) asOf(revision uint64) {
	c.w.Header()["Stet-As-Of"] = []string{strconv.FormatUint(revision, 10)}
}

// fresh sets what an answer with a tag has, and reports whether the caller has that
// answer already: then it is answered.
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

// vary adds to what the answer depends on. Others before may have added Origin.
func (c *call) vary(values []string) {
	h := c.w.Header()
	if before := h["Vary"]; before != nil {
		values = append(before[:len(before):len(before)], values...)
	}
	h["Vary"] = values
}

func isGet(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// bufferedBytes is how much of an answer net/http holds back: of less than that it
// sets Content-Length itself, without a place in the map of headers. A version has
// eight others, and a ninth makes the map grow, twice.
const bufferedBytes = 2048

// refusedAsOf says as of which revision a refusal is, unless that is said: a read's,
// of this one or of one that came while it was made; a write's rests on nothing that
// is newer.
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

// send answers with a body that has a tag, "" for none. It keeps nothing of body, but
// with an error: that is the connection's, and nobody is there to be told. If there is
// no room for a large answer, a read is refused.
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
				c.reservation().forceReserve(len(body) + b.Cap()) // both are held, and the first was let in
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

// empty answers with nothing but headers.
func (c *call) empty() {
	c.w.Header()["Cache-Control"] = noStore
	c.w.WriteHeader(http.StatusNoContent)
}

// sendPage answers with a page: {NAME:[…],"next","as_of"}, of at most size bytes as far as
// that is known.
func sendPage[T any](c *call, name string, p *stet.Page[T], size int, add func(dst []byte, item *T) ([]byte, error)) error {
	c.asOf(p.AsOf)
	t := c.s.revisionTag(p.AsOf) + c.a.scopeMark()
	if c.fresh(t) {
		return nil
	}
	b, buf, err := c.room(size + len(name) + len(p.Next) + 64)
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

// appendAsOf ends a JSON object with its as_of.
func appendAsOf(dst []byte, revision uint64) []byte {
	dst = append(dst, `,"as_of":`...)
	dst = strconv.AppendUint(dst, revision, 10)
	return append(dst, '}')
}

// accepts refuses a request that takes none of the types that there are. It
// returns the one that the request wants most, the first if it does not say.
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
		return "", withStatus(http.StatusNotAcceptable, stet.CodeInvalid, "the answer is %s, and the header Accept does not take that. Leave it out, or add it.", strings.Join(types, " or "))
	}
	return best, nil
}

// wanted returns how much a type is wanted: what the most exact element says.
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
