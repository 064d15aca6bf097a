package httpapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
)

// version returns a version as the caller may see it: without parents outside the key's
// prompts, and without its message if a part of the commit with that message is hidden
// from the caller.
func (s *Server) version(ctx context.Context, a *access, v stet.Version) stet.Version {
	if a.seesAll() || v.IsZero() {
		return v
	}
	return a.redactVersion(v, s.hiddenMessage(ctx, a, v.Revision(), v.Message()))
}

// versions is version for many. The slice is changed in place.
func (s *Server) versions(ctx context.Context, a *access, all []stet.Version) []stet.Version {
	if !a.seesAll() {
		for i, v := range all {
			all[i] = s.version(ctx, a, v)
		}
	}
	return all
}

// moves is version for the moves of a label.
func (s *Server) moves(ctx context.Context, a *access, all []stet.Move) []stet.Move {
	if !a.seesAll() {
		for i := range all {
			if m := &all[i]; m.Message == s.hiddenMessage(ctx, a, m.Revision, m.Message) {
				m.Message = ""
			}
		}
	}
	return all
}

// hiddenMessage returns the message of the commit at a revision if the caller may not see
// it, otherwise "". If the commit cannot be read it returns message, to be safe.
func (s *Server) hiddenMessage(ctx context.Context, a *access, revision uint64, message string) string {
	if message == "" || revision == 0 {
		return ""
	}
	c, ok := s.commits.find(revision)
	if !ok {
		page, err := s.store.ChangesPage(ctx, revision-1, stet.ChangesOptions{Limit: 1})
		if err != nil || len(page.Items) == 0 {
			return message
		}
		c = s.commits.add(&page.Items[0])
	}
	if slices.ContainsFunc(c.prompts, func(id string) bool { return !a.sees(id) }) {
		return c.message
	}
	return ""
}

// A commitCache has the prompts and the message of commits, which never change, for
// callers who may not see every prompt. The zero value is empty.
type commitCache struct {
	mu   sync.Mutex
	by   map[uint64]commitPrompts
	size int // of by, about
}

type commitPrompts struct {
	prompts []string // nil if there is only one: who sees it sees all of the commit
	message string
}

// maxCommits is about how many bytes a commitCache has. Beyond it the cache is emptied:
// each commit is read from the log again.
const maxCommits = 4 << 20

func (c *commitCache) find(revision uint64) (commitPrompts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.by[revision]
	return p, ok
}

func (c *commitCache) add(ch *stet.Change) commitPrompts {
	var p commitPrompts
	for i := range ch.Ops {
		if id := ch.Ops[i].PromptID(); id != "" && !slices.Contains(p.prompts, id) {
			p.prompts = append(p.prompts, id)
		}
	}
	size := 100
	if len(p.prompts) > 1 {
		p.message = ch.Message
		size += len(p.message)
		for _, id := range p.prompts {
			size += 16 + len(id)
		}
	} else {
		p.prompts = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += size; c.size > maxCommits || c.by == nil {
		c.by, c.size = make(map[uint64]commitPrompts), size
	}
	c.by[ch.Revision] = p
	return p
}

// prompts returns a page of the prompts that the caller may see. It asks the store for
// these alone: the cursor after a page of all prompts would name hidden ones, and a key for
// one prompt of a million would get a thousand empty pages. A page has prompts of one of
// the key's patterns, as of one revision.
func (s *Server) prompts(ctx context.Context, a *access, o stet.PromptsOptions) (stet.Page[stet.Head], error) {
	if a.seesAll() {
		return s.store.PromptsPage(ctx, o)
	}
	from, cursor := "", o.Cursor
	if next, ok := strings.CutPrefix(cursor, nextPattern); ok {
		b, err := base64.RawURLEncoding.DecodeString(next)
		if err != nil {
			return stet.Page[stet.Head]{}, stet.Errorf(stet.CodeInvalid, "%q is not a cursor of this list. Give the next of the page before, as it is.", cursor)
		}
		from, cursor = string(b), ""
	}
	var page stet.Page[stet.Head]
	var err error
	patterns := a.grant.Patterns()
	asked := false
	for i, p := range patterns {
		prefix, isPrefix := strings.CutSuffix(p, "*")
		one := o
		one.Cursor = cursor
		switch {
		case prefix < from:
			continue // listed before
		case strings.HasPrefix(prefix, o.Prefix):
			one.Prefix = prefix
		case !isPrefix || !strings.HasPrefix(o.Prefix, prefix):
			continue
		}
		if !isPrefix && o.Limit >= 0 {
			one.Limit = 1 // an id comes first of those that begin with it
		}
		asked = true
		if page, err = s.store.PromptsPage(ctx, one); err != nil {
			return page, err
		}
		page.Items = slices.DeleteFunc(page.Items, func(h stet.Head) bool { return !a.sees(h.PromptID) })
		if !isPrefix {
			page.Next = ""
		}
		if page.Next == "" && i+1 < len(patterns) {
			page.Next = nextPattern + base64.RawURLEncoding.EncodeToString([]byte(strings.TrimSuffix(patterns[i+1], "*")))
		}
		if len(page.Items) > 0 {
			return page, nil
		}
		if !strings.HasPrefix(page.Next, nextPattern) && page.Next != "" {
			return page, nil // as many were looked at as a page may
		}
	}
	if !asked { // an invalid question has the same error for every key
		o.Limit, o.Cursor = 1, ""
		page, err = s.store.PromptsPage(ctx, o)
	}
	page.Items, page.Next = nil, ""
	return page, err
}

// nextPattern begins a cursor that goes on with the next of the key's patterns.
// Those of the store are base64 and have no dot.
const nextPattern = "next."
