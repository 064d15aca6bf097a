package httpapi

import (
	"net/http"

	"github.com/stet-dev/stet"
)

// render fills the variables and placeholders of a version.
func (s *Server) render(c *call) error {
	if _, err := c.accepts("application/json"); err != nil {
		return err
	}
	p, err := c.params("at", "min_revision")
	if err != nil {
		return err
	}
	o, err := p.read()
	if err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	var values stet.Values
	if err := c.body(&values); err != nil {
		return err
	}
	v, err := c.resolve(id, c.r.PathValue("selector"), o)
	if err != nil {
		return err
	}
	filled, err := v.Render(values)
	if err != nil {
		return err
	}
	c.version(v, "")
	b := buffers.Get().(*[]byte)
	buf := append((*b)[:0], `{"version":"`...)
	buf = append(v.Number().AppendTo(buf), `",`...)
	buf = appendAsOf(filled.AppendMembers(buf), v.AsOf())
	c.send(http.StatusOK, typeJSON, "", buf)
	putBuffer(b, buf)
	return nil
}
