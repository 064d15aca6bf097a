package client

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
)

// Get implements stet.Backend.
func (b *backend) Get(ctx context.Context, id, sel string) (v stet.Version, err error) {
	s, err := selector.Parse(sel)
	if err != nil {
		return v, err
	}
	if err := stet.CheckID(id); err != nil {
		return v, err
	}
	r := &request{method: http.MethodGet, path: segments("prompts", id, "versions", s.String())}
	err = b.do(ctx, r, func(h http.Header, body []byte) error {
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		if v.PromptID() != id {
			return fmt.Errorf("it is a version of %q, and not of %q", v.PromptID(), id)
		}
		revision, err := asOf(h)
		v = v.WithAsOf(revision)
		return err
	})
	if err != nil {
		return stet.Version{}, err
	}
	return v, nil
}

// GetMany implements stet.Backend.
func (b *backend) GetMany(ctx context.Context, refs []string, o stet.ReadOptions) ([]stet.Version, uint64, error) {
	if len(refs) > stet.MaxLimit {
		return nil, 0, stet.Errorf(stet.CodeTooLarge, "%d references were asked for at once; %d is the most. Split them.", len(refs), stet.MaxLimit)
	}
	for i, ref := range refs {
		id, sel, _ := stet.SplitRef(ref)
		_, err := selector.Parse(sel)
		if err == nil {
			err = stet.CheckID(id)
		}
		if err != nil {
			e := stet.AsError(err)
			e.Op = i
			return nil, 0, e
		}
	}
	q := url.Values{}
	if err := readOptions(q, o); err != nil {
		return nil, 0, err
	}
	body, err := json.Marshal(struct {
		Refs []string `json:"refs"`
	}{refs})
	if err != nil {
		return nil, 0, stet.WrapError(err, stet.CodeInvalid, "the references cannot be written as JSON: %v.", err)
	}
	var page versionsJSON
	r := &request{method: http.MethodPost, path: segments("get"), query: q, body: body}
	err = b.do(ctx, r, func(_ http.Header, body []byte) error {
		page = versionsJSON{}
		if err := json.Unmarshal(body, &page); err != nil {
			return err
		}
		if len(page.Versions) != len(refs) {
			return fmt.Errorf("it has %d versions, and %d were asked for", len(page.Versions), len(refs))
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return page.read(), page.AsOf, nil
}

// Head implements stet.Backend.
func (b *backend) Head(ctx context.Context, id string, o stet.ReadOptions) (h stet.Head, err error) {
	if err := stet.CheckID(id); err != nil {
		return h, err
	}
	q := url.Values{}
	if err := readOptions(q, o); err != nil {
		return h, err
	}
	r := &request{method: http.MethodGet, path: segments("prompts", id), query: q}
	err = b.do(ctx, r, func(_ http.Header, body []byte) error {
		h = stet.Head{}
		if err := json.Unmarshal(body, &h); err != nil {
			return err
		}
		if h.PromptID != id {
			return fmt.Errorf("it is the head of %q, and not of %q", h.PromptID, id)
		}
		return nil
	})
	if err != nil {
		return stet.Head{}, err
	}
	return head(h), nil
}

// head fills in what the JSON of a head leaves out.
func head(h stet.Head) stet.Head {
	if h.Labels == nil {
		h.Labels = map[string]stet.Number{}
	}
	h.CreatedAt, h.UpdatedAt = h.CreatedAt.UTC(), h.UpdatedAt.UTC()
	return h
}

// List implements stet.Backend.
func (b *backend) List(ctx context.Context, id string, o stet.ListOptions) (p stet.Page[stet.Version], err error) {
	if err := stet.CheckID(id); err != nil {
		return p, err
	}
	q := url.Values{}
	if o.Ascending {
		q.Set("order", "asc")
	}
	if err := pageOptions(q, o.Limit, o.Cursor, o.ReadOptions); err != nil {
		return p, err
	}
	var page versionsJSON
	r := &request{method: http.MethodGet, path: segments("prompts", id, "versions"), query: q}
	if err := b.do(ctx, r, into(&page)); err != nil {
		return p, err
	}
	return stet.Page[stet.Version]{Items: page.read(), Next: page.Next, AsOf: page.AsOf}, nil
}

// Prompts implements stet.Backend.
func (b *backend) Prompts(ctx context.Context, o stet.PromptsOptions) (p stet.Page[stet.Head], err error) {
	if err := stet.CheckPrefix(o.Prefix); err != nil {
		return p, err
	}
	q := url.Values{}
	if o.Prefix != "" {
		q.Set("prefix", o.Prefix)
	}
	if o.Label != "" {
		if err := stet.CheckLabel(o.Label); err != nil {
			return p, err
		}
		q.Set("label", o.Label)
	}
	if err := pageOptions(q, o.Limit, o.Cursor, o.ReadOptions); err != nil {
		return p, err
	}
	var page struct {
		Prompts []stet.Head `json:"prompts"`
		Next    string      `json:"next"`
		AsOf    uint64      `json:"as_of"`
	}
	r := &request{method: http.MethodGet, path: segments("prompts"), query: q}
	if err := b.do(ctx, r, into(&page)); err != nil {
		return p, err
	}
	for i := range page.Prompts {
		page.Prompts[i] = head(page.Prompts[i])
		page.Prompts[i].AsOf = page.AsOf
	}
	return stet.Page[stet.Head]{Items: page.Prompts, Next: page.Next, AsOf: page.AsOf}, nil
}

// History implements stet.Backend.
func (b *backend) History(ctx context.Context, id, label string, o stet.HistoryOptions) (p stet.Page[stet.Move], err error) {
	if err := stet.CheckID(id); err != nil {
		return p, err
	}
	if label == "" {
		label = stet.DefaultLabel
	}
	if err := stet.CheckLabel(label); err != nil {
		return p, err
	}
	q := url.Values{}
	if err := pageOptions(q, o.Limit, o.Cursor, o.ReadOptions); err != nil {
		return p, err
	}
	var page struct {
		Moves []stet.Move `json:"moves"`
		Next  string      `json:"next"`
		AsOf  uint64      `json:"as_of"`
	}
	r := &request{method: http.MethodGet, path: segments("prompts", id, "labels", label), query: q}
	if err := b.do(ctx, r, into(&page)); err != nil {
		return p, err
	}
	for i := range page.Moves {
		page.Moves[i].Time = page.Moves[i].Time.UTC()
	}
	return stet.Page[stet.Move]{Items: page.Moves, Next: page.Next, AsOf: page.AsOf}, nil
}

// versionsJSON is a page of versions.
type versionsJSON struct {
	Versions []stet.Version `json:"versions"`
	Next     string         `json:"next"`
	AsOf     uint64         `json:"as_of"`
}

// read returns the versions as answers of the page's revision.
func (p *versionsJSON) read() []stet.Version {
	for i := range p.Versions {
		p.Versions[i] = p.Versions[i].WithAsOf(p.AsOf)
	}
	return p.Versions
}

// into decodes an answer into a struct, a new one each time. It accepts unknown members: a
// newer server may send them.
func into[T any](v *T) func(http.Header, []byte) error {
	return func(_ http.Header, body []byte) error {
		var none T
		*v = none
		return json.Unmarshal(body, v)
	}
}

func pageOptions(q url.Values, limit int, cursor string, o stet.ReadOptions) error {
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		q.Set("cursor", strings.ToValidUTF8(cursor, "\uFFFD")) // still not a cursor
	}
	return readOptions(q, o)
}

// readOptions adds the state to read to a query. Local has no parameter: this process has
// no state of its own, and whether the server may answer without asking its engine is not
// for a client to say.
func readOptions(q url.Values, o stet.ReadOptions) error {
	if o.At.Revision != 0 && !o.At.Time.IsZero() {
		return stet.Errorf(stet.CodeInvalid, "both a revision and a time were given to read at. Give one.")
	}
	if o.At.Revision != 0 {
		q.Set("at", formatRevision(o.At.Revision))
	}
	if !o.At.Time.IsZero() {
		q.Set("at", formatAt(o.At.Time))
	}
	if o.MinRevision != 0 {
		q.Set("min_revision", formatRevision(o.MinRevision))
	}
	return nil
}

// formatRevision writes a revision. A server takes those below 2^63; no store comes to the
// last of them.
func formatRevision(n uint64) string { return strconv.FormatUint(min(n, math.MaxInt64), 10) }

// formatAt writes a time to read at. RFC 3339 has the years up to 9999. A time outside
// becomes the nearest that it has; no commit lies between.
func formatAt(t time.Time) string {
	t = t.UTC()
	switch y := t.Year(); {
	case y < 1:
		t = time.Time{}.Add(1) // not the zero time, which is no time
	case y > 9999:
		t = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t.Format(time.RFC3339Nano)
}
