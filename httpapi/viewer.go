package httpapi

import (
	"github.com/stet-dev/stet"
)

// A viewer is what a reader of changes may see, and which prompts it asks for.
type viewer struct {
	a      *access
	prefix string
}

// see returns the part of a change that the viewer sees; false if it sees nothing.
func (v viewer) see(ch stet.Change) (stet.Change, bool) {
	ch, ok := v.a.visible(ch)
	if ok && v.prefix != "" {
		return ch.WithPrefix(v.prefix)
	}
	return ch, ok
}

// frame returns the part of an event that the viewer sees, nil for nothing. A viewer that
// sees all of it gets the shared bytes.
func (v viewer) frame(f *feed, e *event) ([]byte, error) {
	ch, ok := v.see(e.change)
	switch {
	case !ok:
		return nil, nil
	case unchangedFor(&ch, &e.change):
		return e.frame, nil
	}
	own, err := newEvent(f.prefix, &ch)
	if err != nil {
		return nil, err
	}
	return own.frame, nil
}

// unchangedFor reports whether a viewer sees all of a change.
func unchangedFor(seen, ch *stet.Change) bool {
	return len(seen.Ops) == len(ch.Ops) && (len(ch.Ops) == 0 || &seen.Ops[0] == &ch.Ops[0]) &&
		seen.ID == ch.ID && seen.Author == ch.Author && seen.Message == ch.Message &&
		seen.Fingerprint == ch.Fingerprint && seen.Hash == ch.Hash
}

// page returns the beginning of a page's JSON as the viewer sees it, and how many changes
// it has. It fails if the server has no room for the page.
func (v viewer) page(c *call, p *stet.Page[stet.Change]) (body []byte, n int, err error) {
	body = append(body, `{"commits":[`...)
	for _, ch := range p.Items {
		ch, ok := v.see(ch)
		if !ok {
			continue
		}
		data, err := encode(ch)
		if err != nil {
			return nil, 0, stet.WrapError(err, stet.CodeInternal, "the change at revision %d could not be encoded: %v.", ch.Revision, err)
		}
		if n > 0 {
			body = append(body, ',')
		}
		body = append(body, data...)
		n++
		if err := c.reserve(cap(body)); err != nil {
			return nil, 0, err
		}
	}
	return body, n, nil
}
