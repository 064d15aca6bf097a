package httpapi

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// resolve returns the version that a path and a query name.
func (c *call) resolve(id, sel string, o stet.ReadOptions) (stet.Version, error) {
	if o == (stet.ReadOptions{}) {
		c.s.metrics.gets.Add(1)
		v, err := c.s.store.Backend().Get(c.ctx(), id, sel) // Store.Get would take a reference apart
		return c.see(v), err
	}
	if err := c.wait(o.MinRevision); err != nil {
		return stet.Version{}, err
	}
	v, err := c.s.store.Get(c.ctx(), id+"@"+sel, o)
	return c.see(v), err
}

// see returns a version as the caller may see it, and notes whether anything was left out.
func (c *call) see(v stet.Version) stet.Version {
	seen := c.s.version(c.ctx(), c.a, v)
	if seen != v {
		c.mark = c.a.scopeMark()
	}
	return seen
}

// getVersion is what applications call for every request of theirs, so it allocates
// little.
func (s *Server) getVersion(c *call) error {
	_, o, err := c.reads("application/json", "at", "min_revision")
	if err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	v, err := c.resolve(id, c.pathValue("selector"), o)
	if err != nil {
		return err
	}
	t := c.version(v, c.mark)
	if c.fresh(t) {
		return nil
	}
	b := buffers.Get().(*[]byte)
	body := append(v.AppendJSON((*b)[:0]), '\n')
	c.sendBuffer(http.StatusOK, typeJSON, t, b, body)
	return nil
}

// version sets the revision that the answer is of, and returns the version's tag with a
// suffix. Both are cut from one string.
func (c *call) version(v stet.Version, suffix string) tag {
	var scratch [128]byte
	b := c.s.appendVersionTag(scratch[:0], v)
	b = append(b, suffix...)
	tagEnd := len(b)
	b = strconv.AppendUint(b, v.AsOf(), 10)
	all := string(b)
	c.w.Header()["Stet-As-Of"] = []string{all[tagEnd:]}
	return all[:tagEnd]
}

// names sets the headers that name the version, for an answer whose body does not.
func (c *call) names(v stet.Version) {
	h := c.w.Header()
	h["Stet-Revision"] = []string{strconv.FormatUint(v.Revision(), 10)}
	h["Stet-Version"] = []string{v.Number().String()}
}

// getPlain answers with the text alone, byte for byte as it was saved; for a chat, with
// its messages as JSON. The slashes of the id are not escaped in this path.
func (s *Server) getPlain(c *call) error {
	_, o, err := c.reads("text/plain", "at", "min_revision")
	if err != nil {
		return err
	}
	id, sel, _ := stet.SplitRef(c.pathValue("ref"))
	if err := stet.CheckID(id); err != nil {
		return err
	}
	if err := c.a.mayRead(id); err != nil {
		return err
	}
	v, err := c.resolve(id, sel, o)
	if err != nil {
		return err
	}
	// A text may be anything; a browser must not take it for a page.
	c.w.Header()["X-Content-Type-Options"] = noSniff
	t := c.version(v, suffixText)
	c.names(v)
	if c.fresh(t) {
		return nil
	}
	b := buffers.Get().(*[]byte)
	body := append((*b)[:0], v.Text()...)
	if v.Type() == content.TypeChat {
		body = append(append(body, v.Content().Messages()...), '\n')
	}
	c.sendBuffer(http.StatusOK, typeText, t, b, body)
	return nil
}

// getMany resolves references as of one revision.
func (s *Server) getMany(c *call) error {
	_, o, err := c.reads("application/json", "at", "min_revision")
	if err != nil {
		return err
	}
	var body struct {
		Refs []string `json:"refs"`
	}
	if err := c.body(&body); err != nil {
		return err
	}
	for i, ref := range body.Refs {
		id, _, _ := stet.SplitRef(ref)
		if err := c.a.mayRead(id); err != nil {
			return withOp(err, i)
		}
	}
	if err := c.prepare(o.MinRevision); err != nil {
		return err
	}
	versions, asOf, err := s.store.GetMany(c.ctx(), body.Refs, o)
	if err != nil {
		return err
	}
	versions = s.versions(c.ctx(), c.a, versions)
	c.asOf(asOf)
	size := len(`{"versions":[],"as_of":18446744073709551615}`)
	for i, v := range versions {
		if size += jsonSize(v); size > maxAnswerBytes {
			return withOp(stet.Errorf(stet.CodeTooLarge, "the answer has over %d bytes of JSON up to this reference; the limit is %d. Ask for fewer at once.", size, maxAnswerBytes), i)
		}
	}
	b, buf, err := c.newBuffer(size)
	if err != nil {
		return err
	}
	buf = append(buf, `{"versions":[`...)
	for i, v := range versions {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = v.AppendJSON(buf)
	}
	buf = appendAsOf(append(buf, ']'), asOf)
	c.sendBuffer(http.StatusOK, typeJSON, "", b, buf)
	return nil
}

// getHead answers with what changes about a prompt.
func (s *Server) getHead(c *call) error {
	_, o, err := c.reads("application/json", "at", "min_revision")
	if err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	if err := c.wait(o.MinRevision); err != nil {
		return err
	}
	h, err := s.store.Head(c.ctx(), id, o)
	if err != nil {
		return err
	}
	return c.head(h)
}

// head answers with a head. Its tag is weak: as_of advances while nothing else changes. A
// past state that was changed since does not tell its last change; its tag has as_of.
func (c *call) head(h stet.Head) error {
	c.asOf(h.AsOf)
	t := "W/" + c.s.revisionTag(cmp.Or(h.Revision, h.AsOf))
	if c.fresh(t) {
		return nil
	}
	body, err := h.MarshalJSON()
	if err != nil {
		return err
	}
	c.send(http.StatusOK, typeJSON, t, append(body, '\n'))
	return nil
}

// single returns err without the index of an operation: there was only one.
func single(err error) error {
	return withOp(err, stet.NoOp)
}

// withOp returns err with the index of the operation that failed.
func withOp(err error, op int) error {
	e, ok := err.(*stet.Error)
	if !ok || e.Op == op {
		return err
	}
	own := *e // others may have it
	own.Op = op
	return &own
}
