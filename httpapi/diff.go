package httpapi

import (
	"net/http"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/diff"
)

// getDiff answers with the differences of two versions of a prompt: a unified diff, or
// JSON around it. Without from and to it compares current with latest.
func (s *Server) getDiff(c *call) error {
	kind, err := c.accepts("text/plain", "application/json")
	if err != nil {
		return err
	}
	p, err := c.params("from", "to", "at", "min_revision")
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
	from, to := p["from"], p["to"]
	if to == "" {
		to = "latest"
	}
	if err := c.prepare(o.MinRevision); err != nil {
		return err
	}
	two, _, err := s.store.GetMany(c.ctx(), []string{id + "@" + from, id + "@" + to}, o)
	if err != nil {
		return single(err)
	}
	two = s.versions(c.ctx(), c.a, two)
	asOf := two[0].AsOf()
	c.asOf(asOf)
	h := c.w.Header()
	c.vary(varyAccept)
	h["X-Content-Type-Options"] = noSniff
	t := s.revisionTag(asOf) + c.a.scopeMark()
	if kind == "text/plain" {
		t += suffixText
	}
	if c.unchanged(t) {
		return nil
	}
	// Give up the place to build first: waiting for room while holding it could deadlock.
	c.reservation().endBuild()
	if err := c.reservation().reserveWork(c.ctx(), diffCost(two[0])+diffCost(two[1])); err != nil {
		c.countRefusal("work")
		return err
	}
	text := diff.Versions(two[0], two[1])
	if kind == "text/plain" {
		c.send(http.StatusOK, typeText, t, []byte(text))
		return nil
	}
	body, err := encode(struct {
		From stet.Number `json:"from"`
		To   stet.Number `json:"to"`
		Diff string      `json:"diff"`
		AsOf uint64      `json:"as_of"`
	}{two[0].Number(), two[1].Number(), text, asOf})
	if err != nil {
		return err
	}
	c.send(http.StatusOK, typeJSON, t, append(body, '\n'))
	return nil
}

// diffCost is about how many bytes it takes to compare a version: some for each line, and
// some copies of the whole. It was measured with a megabyte of short lines.
func diffCost(v stet.Version) int64 {
	text := v.Text() + v.Content().Messages()
	return int64(64*strings.Count(text, "\n") + 4*len(text))
}
