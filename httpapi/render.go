package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// render fills the variables and placeholders of a version.
func (s *Server) render(c *call) error {
	_, o, err := c.reads("application/json", "at", "min_revision")
	if err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	var body struct {
		Variables    map[string]*string         `json:"variables"`
		Placeholders map[string]json.RawMessage `json:"placeholders"`
	}
	if err := c.body(&body); err != nil {
		return err
	}
	if err := c.a.mayRead(id); err != nil { // the key may have changed while the body arrived
		return err
	}
	values := stet.Values{Variables: make(map[string]string, len(body.Variables)), Placeholders: body.Placeholders}
	for variable, text := range body.Variables {
		if text == nil { // it would be filled in as nothing
			return stet.Errorf(stet.CodeInvalid, "the variable %q is null. Give it a text, which may be \"\".", variable)
		}
		values.Variables[variable] = *text
	}
	v, err := c.resolve(id, c.pathValue("selector"), o)
	if err != nil {
		return err
	}
	if err := c.prepare(0); err != nil {
		return err
	}
	filled, err := v.Render(values)
	if err != nil {
		return err
	}
	c.version(v, "")
	c.names(v)
	size := 1024 + content.QuotedLen(filled.Text()) + len(filled.Messages()) + len(filled.Config())
	if size > maxAnswerBytes {
		return stet.Errorf(stet.CodeTooLarge, "the answer has %d bytes of JSON; %d is the most. Give shorter values.", size, maxAnswerBytes)
	}
	b, buf, err := c.newBuffer(size)
	if err != nil {
		return err
	}
	buf = append(buf, `{"version":"`...)
	buf = append(v.Number().AppendTo(buf), `",`...)
	buf = appendAsOf(filled.AppendMembers(buf), v.AsOf())
	c.sendBuffer(http.StatusOK, typeJSON, "", b, buf)
	return nil
}
