package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stet-dev/stet"
)

// Changes implements stet.Backend. It ends with ctx and the client only: when the
// connection is lost it opens another, and goes on where it was.
func (b *backend) Changes(ctx context.Context, since uint64, o stet.ChangesOptions) iter.Seq2[stet.Change, error] {
	return func(yield func(stet.Change, error) bool) {
		if o.Limit < 0 || o.Limit > stet.MaxLimit { // which a stream has no use for
			yield(stet.Change{}, stet.Errorf(stet.CodeInvalid, "a page of %d was asked for. Ask for 1 to %d.", o.Limit, stet.MaxLimit))
			return
		}
		for n, err := range b.follow(ctx, followOptions{storeID: b.Info().StoreID, since: since, texts: o.Texts, prefix: o.Prefix}) {
			if err != nil {
				yield(stet.Change{}, err)
				return
			}
			if n.change.Revision != 0 && !yield(n.change, nil) {
				return
			}
		}
	}
}

// parsePosition parses STORE_ID.REVISION.
func parsePosition(s string) (store string, revision uint64, err error) {
	i := strings.LastIndexByte(s, '.')
	if i > 0 {
		revision, err = strconv.ParseUint(s[i+1:], 10, 63)
	}
	if i <= 0 || err != nil {
		return "", 0, fmt.Errorf("it has the id %q, which is not a position in a log", s)
	}
	return s[:i], revision, nil
}

// ChangesPage implements stet.Backend.
func (b *backend) ChangesPage(ctx context.Context, since uint64, o stet.ChangesOptions) (stet.Page[stet.Change], error) {
	return b.changesPage(ctx, b.Info().StoreID+"."+formatRevision(since), o)
}

// changesPage reads a page of the changes after a position.
func (b *backend) changesPage(ctx context.Context, since string, o stet.ChangesOptions) (stet.Page[stet.Change], error) {
	var page stet.Page[stet.Change]
	q := url.Values{"since": {since}}
	if o.Limit != 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Texts {
		q.Set("texts", "true")
	}
	if o.Prefix != "" {
		if err := stet.CheckPrefix(o.Prefix); err != nil {
			return page, err
		}
		q.Set("prefix", o.Prefix)
	}
	err := b.do(ctx, &request{method: http.MethodGet, path: "/v1/changes", query: q}, func(_ http.Header, body []byte) error {
		var a struct {
			Commits []stet.Change `json:"commits"`
			Next    string        `json:"next"`
			AsOf    uint64        `json:"as_of"`
		}
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&a); err != nil {
			return err
		}
		next := ""
		if a.Next != "" {
			_, revision, err := parsePosition(a.Next)
			if err != nil {
				return err
			}
			next = strconv.FormatUint(revision, 10)
		}
		page = stet.Page[stet.Change]{Items: a.Commits, Next: next, AsOf: a.AsOf}
		if len(page.Items) == 0 {
			page.Items = nil
		}
		return nil
	})
	return page, err
}
