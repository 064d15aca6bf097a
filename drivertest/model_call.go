package drivertest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// A Call is one call of a store, as a history records it.
type Call struct {
	// Kind is commit, save, delete, set_label, remove_label, rollback or clear,
	// which have a Commit (of one operation, but for commit), or get, render,
	// many, head, list, prompts, history or changes.
	Kind   string
	Commit *stet.Commit `json:",omitempty"`

	Ref       string   `json:",omitempty"` // a reference or, but for get, an id
	Refs      []string `json:",omitempty"`
	At        uint64   `json:",omitempty"`
	Ascending bool     `json:",omitempty"`
	Limit     int      `json:",omitempty"`
	Prefix    string   `json:",omitempty"`
	Label     string   `json:",omitempty"`
	Cursor    string   `json:",omitempty"` // for the store
	After     string   `json:",omitempty"` // the same, for the model: Last of the page before

	// Time is given instead of At. The model gets both: At is then the revision that the
	// time stands for, 0 for none.
	Time   time.Time    `json:",omitzero"`
	Values *stet.Values `json:",omitempty"` // of render
	Since  uint64       `json:",omitempty"` // of changes
	Texts  bool         `json:",omitempty"` // of changes: not in histories, as they are of a later instant than the page
}

func (c *Call) label() string { return cmp.Or(c.Label, stet.DefaultLabel) }
func (c *Call) limit() int    { return cmp.Or(c.Limit, stet.DefaultLimit) }
func (c *Call) past() bool    { return c.At != 0 || !c.Time.IsZero() }

// An Answer is what a Call returned, from a store or from the model.
type Answer struct {
	Code     string   `json:",omitempty"` // of the error, "" for none
	Op       int      // of the error
	Message  string   `json:",omitempty"` // of the error, for people
	Revision uint64   `json:",omitempty"` // of a commit; 0 if unknown
	Replayed bool     `json:",omitempty"`
	AsOf     uint64   `json:",omitempty"` // of a read; 0 if unknown
	Lines    []string `json:",omitempty"` // what came back, without revisions
	Revs     []uint64 `json:",omitempty"` // the revisions in it
	IDs      []string `json:",omitempty"` // of the commits in it; the model: "" if the store chose it
	Stamps   []Stamp  `json:",omitempty"` // the store: when the commits in it were
	More     bool     `json:",omitempty"` // there is a next page
	Last     string   `json:",omitempty"` // the model: the last item of the page
	Next     string   `json:",omitempty"` // the store: the cursor
	ID       string   `json:",omitempty"` // the store: of the commit
}

// A Stamp is the time of a commit.
type Stamp struct {
	Revision uint64
	Time     time.Time
}

func (a *Answer) add(line string, revision uint64) {
	a.Lines, a.Revs = append(a.Lines, line), append(a.Revs, revision)
}

// A Doer makes the calls of a history: on a store, or on an implementation of the same
// operations that is not one.
type Doer interface {
	Do(ctx context.Context, c *Call) Answer
}

// DoerOf returns a Doer that makes the calls on s.
func DoerOf(s *stet.Store) Doer { return storeDoer{s} }

type storeDoer struct{ s *stet.Store }

// Do implements Doer.
func (d storeDoer) Do(ctx context.Context, c *Call) Answer {
	var a Answer
	var err error
	if c.Commit != nil {
		a, err = d.commit(ctx, c)
	} else {
		a, err = d.read(ctx, c)
	}
	if err != nil {
		a = Answer{Code: string(stet.CodeOf(err)), Message: err.Error()}
		var e *stet.Error
		if errors.As(err, &e) {
			a.Op, a.ID = e.Op, e.CommitID
		}
		return a
	}
	a.Op = -1
	return a
}

func (d storeDoer) commit(ctx context.Context, c *Call) (a Answer, err error) {
	by := stet.By{Author: c.Commit.Author, Message: c.Commit.Message, CommitID: c.Commit.ID}
	a.ID = by.CommitID
	switch op := c.Commit.Ops[:min(1, len(c.Commit.Ops))]; c.Kind {
	case "save":
		draft := *op[0].Save // Save takes author and message from the draft
		s, err := d.s.Save(ctx, draft)
		if err != nil {
			return a, err
		}
		a.ID = s.CommitID
		if s.Unchanged {
			a.Lines = []string{unchangedLine(s.PromptID(), s.Number(), s.Ordinal(), s.Digest())}
			return a, nil
		}
		a.add(lineOf(s.Version)+" bump="+string(s.Bump), s.Version.Revision())
		a.Revision = s.Version.Revision()
	case "delete":
		n, err := d.s.Delete(ctx, by, *op[0].Delete)
		a.Lines = []string{fmt.Sprint(n)}
		return a, err
	case "clear":
		a.Lines = []string{""}
		return a, d.s.Clear(ctx, by)
	case "set_label", "remove_label", "rollback":
		var l stet.LabelChange
		switch c.Kind {
		case "set_label":
			l, err = d.s.SetLabel(ctx, by, *op[0].SetLabel)
		case "remove_label":
			l, err = d.s.RemoveLabel(ctx, by, *op[0].RemoveLabel)
		default:
			l, err = d.s.Rollback(ctx, by, *op[0].Rollback)
		}
		a.Lines = []string{l.PromptID + " " + changeLine(l.Label, l.From, l.To)}
		return a, err
	default:
		done, err := d.s.Commit(ctx, *c.Commit)
		if err != nil {
			return a, err
		}
		a.ID, a.Revision, a.Replayed = done.ID, done.Revision, done.Replayed
		a.Stamps = []Stamp{{done.Revision, done.Time}}
		for i := range done.Results {
			a.Lines = append(a.Lines, resultLine(c.Commit.Ops[i].Kind(), &done.Results[i]))
		}
	}
	return a, nil
}

func resultLine(kind string, r *stet.Result) string {
	var moved strings.Builder
	for _, l := range r.Labels {
		moved.WriteString(changeLine(l.Label, l.From, l.To))
	}
	switch kind {
	case "save":
		return savedLine(r.PromptID, r.Version, r.Ordinal, r.Digest, r.Unchanged, string(r.Bump)) + moved.String()
	case "delete":
		return fmt.Sprintf("%s@%s gone=%d %s", r.PromptID, num(r.Version), r.Deleted, moved.String())
	case "clear":
		return ""
	}
	return r.PromptID + " " + moved.String()
}

func (d storeDoer) read(ctx context.Context, c *Call) (a Answer, err error) {
	opts := stet.ReadOptions{At: stet.Point{Revision: c.At, Time: c.Time}}
	switch c.Kind {
	case "get", "render":
		var v stet.Version
		if id, ok := strings.CutSuffix(c.Ref, "@latest"); ok && !c.past() {
			v, err = d.s.Latest(ctx, id)
		} else if !c.past() {
			v, err = d.s.Get(ctx, c.Ref)
		} else {
			v, err = d.s.Get(ctx, c.Ref, stet.ReadOptions{At: opts.At})
		}
		if err != nil {
			return a, err
		}
		line := lineOf(v)
		if c.Kind == "render" {
			var r content.Rendered
			r, err = v.Render(*c.Values)
			line = renderedLine(v.PromptID(), v.Number(), r.Type(), r.Text(), r.Messages(), r.Config())
		}
		a.AsOf = v.AsOf()
		a.add(line, v.Revision())
	case "many":
		var vs []stet.Version
		vs, _, err = d.s.GetMany(ctx, c.Refs, opts)
		for _, v := range vs {
			if a.AsOf != 0 && a.AsOf != v.AsOf() {
				return a, errors.New("the versions of GetMany are of two revisions")
			}
			a.AsOf = v.AsOf()
			a.add(lineOf(v), v.Revision())
		}
	case "head":
		var h stet.Head
		h, err = d.s.Head(ctx, c.Ref, opts)
		if err == nil {
			a.AsOf = h.AsOf
			a.addHead(&h)
		}
	case "list":
		var p stet.Page[stet.Version]
		p, err = d.s.ListPage(ctx, c.Ref, stet.ListOptions{Ascending: c.Ascending, Limit: c.Limit, Cursor: c.Cursor, ReadOptions: opts})
		a.AsOf, a.Next, a.More = p.AsOf, p.Next, p.Next != ""
		for _, v := range p.Items {
			a.add(lineOf(v), v.Revision())
		}
	case "prompts":
		var p stet.Page[stet.Head]
		p, err = d.s.PromptsPage(ctx, stet.PromptsOptions{Prefix: c.Prefix, Label: c.Label, Limit: c.Limit, Cursor: c.Cursor, ReadOptions: opts})
		a.AsOf, a.Next, a.More = p.AsOf, p.Next, p.Next != ""
		for _, h := range p.Items {
			a.addHead(&h)
		}
	case "history":
		var p stet.Page[stet.Move]
		p, err = d.s.HistoryPage(ctx, c.Ref, c.Label, stet.HistoryOptions{Limit: c.Limit, Cursor: c.Cursor, ReadOptions: opts})
		a.AsOf, a.Next, a.More = p.AsOf, p.Next, p.Next != ""
		for _, m := range p.Items {
			a.add(fmt.Sprintf("%s>%s %s: %s", num(m.From), num(m.To), m.Author, m.Message), m.Revision)
			a.Stamps = append(a.Stamps, Stamp{m.Revision, m.Time})
		}
	case "changes":
		var p stet.Page[stet.Change]
		p, err = d.s.ChangesPage(ctx, c.Since, stet.ChangesOptions{Limit: c.Limit, Texts: c.Texts})
		a.AsOf, a.More = p.AsOf, p.Next != ""
		for i := range p.Items {
			a.addChange(&p.Items[i])
		}
		if n := len(p.Items); a.More && (n == 0 || p.Next != fmt.Sprint(p.Items[n-1].Revision)) {
			return a, fmt.Errorf("a page of changes with the revisions %d has the next page after %q", a.Revs, p.Next)
		}
	default:
		err = fmt.Errorf("there is no call %q", c.Kind)
	}
	return a, err
}

// addHead adds a head, and then tries to change the store through it.
func (a *Answer) addHead(h *stet.Head) {
	a.add(headLine(h.PromptID, h.Latest, h.Current, h.Labels, h.Versions), h.Revision)
	h.Labels["mine"] = stet.NewNumber(9, 9, 9)
}

// addChange adds a commit as the log has it.
func (a *Answer) addChange(ch *stet.Change) {
	kinds, texts := make([]string, len(ch.Ops)), make([]string, len(ch.Ops))
	for i := range ch.Ops {
		o := &ch.Ops[i]
		kinds[i] = o.Kind()
		if o.Save != nil && o.Save.Content != nil {
			texts[i] = lineOf(*o.Save.Content)
		}
	}
	a.addLogged(ch.Revision, &stet.Commit{ID: ch.ID, Author: ch.Author, Message: ch.Message}, kinds, logLines(ch), texts)
	a.Stamps = append(a.Stamps, Stamp{ch.Revision, ch.Time})
}

// addLogged adds a commit of the log, with the kind of each operation, what it did and
// the text of the version that it saved.
func (a *Answer) addLogged(revision uint64, c *stet.Commit, kinds, lines, texts []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", c.Author, c.Message)
	for i, kind := range kinds {
		fmt.Fprintf(&b, "; %s %s%s", kind, lines[i], texts[i])
	}
	a.add(b.String(), revision)
	a.IDs = append(a.IDs, c.ID)
}

func renderedLine(id string, n stet.Number, kind, text, messages, config string) string {
	return fmt.Sprintf("%s@%s %s %q%s %s", id, n, kind, text, messages, config)
}

func headLine(id string, latest, current stet.Number, labels map[string]stet.Number, versions int) string {
	var b strings.Builder
	for _, l := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, " %s=%s", l, labels[l])
	}
	return fmt.Sprintf("%s latest=%s current=%s versions=%d%s", id, latest, current, versions, b.String())
}

func unchangedLine(id string, n stet.Number, ordinal uint64, d content.Digest) string {
	return fmt.Sprintf("%s@%s #%d %.15s same", id, n, ordinal, d)
}

func lineOf(v stet.Version) string {
	return versionLine(v.PromptID(), v.Number(), v.Ordinal(), v.Content(), v.Digest(), v.Metadata(), slices.Collect(v.Parents()), v.Author(), v.Message())
}

func versionLine(id string, n stet.Number, ordinal uint64, c content.Content, d content.Digest, metadata string, parents []string, author, message string) string {
	return fmt.Sprintf("%s@%s #%d %.15s %s %q%s meta=%s parents=%s %s: %s",
		id, n, ordinal, d, c.Type(), c.Text(), c.Messages(), metadata, strings.Join(parents, ","), author, message)
}

// differs says how a store's answer differs from the model's, "" if it does not.
// A commit's revision is compared if exact.
func (a *Answer) differs(want *Answer, c *Call, exact bool) string {
	switch {
	case a.Code != want.Code:
		return fmt.Sprintf("the code is %q, and should be %q", a.Code, want.Code)
	case a.Code != "":
		if a.Op != want.Op {
			return fmt.Sprintf("operation %d is blamed, and should be %d", a.Op, want.Op)
		}
		return ""
	case !slices.Equal(a.Lines, want.Lines):
		return fmt.Sprintf("the answer is\n\t%s\nand should be\n\t%s", strings.Join(a.Lines, "\n\t"), strings.Join(want.Lines, "\n\t"))
	case !slices.EqualFunc(a.IDs, want.IDs, func(got, want string) bool { return got == want || want == "" }):
		return fmt.Sprintf("the commits are %q, and should be %q", a.IDs, want.IDs)
	case c.Kind == "commit" && a.Replayed != want.Replayed:
		return fmt.Sprintf("replayed is %t, and should be %t", a.Replayed, want.Replayed)
	case a.More != want.More && (c.Kind != "prompts" || want.More):
		return fmt.Sprintf("a next page: %t, and should be %t", a.More, want.More)
	case !exact:
		return ""
	case (c.past() || c.Kind == "changes") && a.AsOf != 0 && a.AsOf != want.AsOf:
		return fmt.Sprintf("the answer is as of %d, and should be as of %d", a.AsOf, want.AsOf)
	case a.Revision != 0 && a.Revision != want.Revision:
		return fmt.Sprintf("the commit's revision is %d, and should be %d", a.Revision, want.Revision)
	case !slices.EqualFunc(a.Revs, want.Revs, func(got, want uint64) bool {
		return got == want || got == 0 && (c.Kind == "prompts" || c.Kind == "head") && c.past() // a head of the past does not tell
	}):
		return fmt.Sprintf("the revisions in %s are %d, and should be %d", a.Lines, a.Revs, want.Revs)
	}
	return ""
}

// excuse takes over, into what should be answered, what a store may answer otherwise
// whose engine loses answers on purpose: a commit that was sent once is replayed, and
// a page of changes ends early where the engine does, with a next.
func (a *Answer) excuse(got *Answer, c *Call) {
	a.Replayed = got.Replayed
	if n := len(got.Lines); c.Kind == "changes" && got.More && n > 0 && n < len(a.Lines) {
		a.Lines, a.Revs, a.IDs, a.More = a.Lines[:n], a.Revs[:n], a.IDs[:n], true
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
