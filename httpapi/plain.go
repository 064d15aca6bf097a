package httpapi

import (
	"net/http"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// getPlain answers with the text alone, byte for byte as it was saved; a chat with
// its messages as JSON. Slashes of the id stand in the path as they are.
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
	// A text may be anything; no browser is to take it for a page.
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
