package httpapi

import (
	"encoding/json"

	"github.com/stet-dev/stet"
)

// listVersions answers with a page of a prompt's versions, by precedence.
func (s *Server) listVersions(c *call) error {
	p, read, err := c.reads("application/json", "order", "limit", "cursor", "at", "min_revision")
	if err != nil {
		return err
	}
	o := stet.ListOptions{Cursor: p["cursor"], ReadOptions: read}
	if o.Limit, err = p.limit(); err != nil {
		return err
	}
	switch order, ok := p["order"]; {
	case order == "asc":
		o.Ascending = true
	case ok && order != "desc":
		return stet.Errorf(stet.CodeInvalid, "order is %q. Write asc or desc.", order)
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	if err := c.prepare(o.MinRevision); err != nil {
		return err
	}
	page, err := s.store.ListPage(c.ctx(), id, o)
	if err != nil {
		return err
	}
	page.Items = s.versions(c.ctx(), c.a, page.Items)
	size := 0
	for _, v := range page.Items {
		size += jsonSize(v)
	}
	return sendPage(c, "versions", &page, size, func(dst []byte, v *stet.Version) ([]byte, error) { return v.AppendJSON(dst), nil })
}

// listPrompts answers with a page of heads. Prompts that the caller may not see are left
// out, so a page may be short and still have a next.
func (s *Server) listPrompts(c *call) error {
	p, read, err := c.reads("application/json", "prefix", "label", "limit", "cursor", "at", "min_revision")
	if err != nil {
		return err
	}
	o := stet.PromptsOptions{Prefix: p["prefix"], Label: p["label"], Cursor: p["cursor"], ReadOptions: read}
	if o.Limit, err = p.limit(); err != nil {
		return err
	}
	if err := c.prepare(o.MinRevision); err != nil {
		return err
	}
	page, err := s.prompts(c.ctx(), c.a, o)
	if err != nil {
		return err
	}
	return sendPage(c, "prompts", &page, 0, func(dst []byte, h *stet.Head) ([]byte, error) { return appendMarshaled(dst, h) })
}

// listMoves answers with a page of the moves of a label, the newest first.
func (s *Server) listMoves(c *call) error {
	p, read, err := c.reads("application/json", "limit", "cursor", "at", "min_revision")
	if err != nil {
		return err
	}
	o := stet.HistoryOptions{Cursor: p["cursor"], ReadOptions: read}
	if o.Limit, err = p.limit(); err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	if err := c.prepare(o.MinRevision); err != nil {
		return err
	}
	page, err := s.store.HistoryPage(c.ctx(), id, c.pathValue("label"), o)
	if err != nil {
		return err
	}
	page.Items = s.moves(c.ctx(), c.a, page.Items)
	return sendPage(c, "moves", &page, 0, func(dst []byte, m *stet.Move) ([]byte, error) { return appendMarshaled(dst, m) })
}

func appendMarshaled(dst []byte, v json.Marshaler) ([]byte, error) {
	one, err := v.MarshalJSON()
	return append(dst, one...), err
}
