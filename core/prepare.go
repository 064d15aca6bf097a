package core

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/selector"
)

// Limits on what a commit may say of itself.
const (
	maxCommitID = 128
	maxAuthor   = 256
	maxMessage  = 64 << 10
	maxMetadata = 256 << 10
	maxParents  = 100
	maxLabels   = 100 // of one draft
)

// A pending commit is one that has been checked as far as that is possible
// without the state, with everything computed that takes time: that happens in
// the caller's goroutine, so that the one writer has little to do.
type pending struct {
	id          string
	generated   bool // the store made the id: nobody can have used it before
	tried       bool // it was given to the log before: its id may be there
	author      string
	message     string
	time        time.Time
	fingerprint string
	ops         []preparedOp
	epoch       uint64 // of what the operations expect, 0 for any
	size        int    // bytes of the bodies and strings

	// replay is a settled change of another log, to be taken over as it is.
	replay *stet.Change

	// Changes that are replayed together are handed to the writer by their first. One
	// is carried out only if the one before it is; failed is the writer's, and says that
	// a commit has not been carried out as far as is known.
	before, next *pending
	failed       bool

	claimed atomic.Bool // by the writer, or by a caller who gives up
	done    chan outcome
}

// A preparedOp is an operation with its parts parsed. What is left of it as it
// was asked for is in op.
type preparedOp struct {
	op *stet.Op

	// For a save.
	fields  stet.Fields // but for number, ordinal and revision
	stored  string      // the body's Fields
	seal    stet.Hash
	bump    stet.Bump
	parents []parent

	// number is a save's Version or a delete's, zero if none was given.
	number stet.Number
	// to is where a label is to go.
	to selector.Selector
	// expect is what a pointer must be at now, if there is such a condition.
	expect  stet.Number
	expects bool
}

type parent struct {
	id     string
	number stet.Number
}

// prepare checks a commit and computes what does not depend on the state.
//
// Nothing of the request is kept that its caller could change: a commit of unknown
// outcome is still at work when its caller is told.
func (c *Core) prepare(ctx context.Context, req *stet.Commit) (*pending, error) {
	now := c.opts.Now().UTC().Truncate(time.Microsecond)
	p := &pending{
		id: req.ID, author: req.Author, message: req.Message, time: now, epoch: req.Epoch,
		ops: make([]preparedOp, len(req.Ops)), done: make(chan outcome, 1),
	}
	if p.id == "" {
		p.id, p.generated = c.opts.NewID(), true
	}
	if err := checkCommitID(p.id); err != nil {
		return nil, err
	}
	if err := checkProse("author", req.Author, maxAuthor); err != nil {
		return nil, err
	}
	if err := checkProse("message", req.Message, maxMessage); err != nil {
		return nil, err
	}
	switch n := len(req.Ops); {
	case n == 0:
		return nil, stet.Errorf(stet.CodeInvalid, "the commit has no operations. Give it at least one.")
	case n > stet.MaxOps:
		return nil, stet.Errorf(stet.CodeTooLarge, "the commit has %d operations; %d is the most. Split it.", n, stet.MaxOps)
	}
	for i := range req.Ops {
		if err := c.prepareOp(ctx, &p.ops[i], own(req.Ops[i]), p); err != nil {
			e := stet.AsError(err)
			e.Op = i
			return nil, e
		}
		if p.size > stet.MaxCommitBytes {
			return nil, stet.Errorf(stet.CodeTooLarge, "the commit has over %d MiB in its first %d operations, which is the most. Split it.",
				stet.MaxCommitBytes>>20, i+1)
		}
	}
	p.fingerprint = fingerprint(req, p)
	return p, nil
}

// own returns a copy of an operation that shares nothing changeable with it, but
// for what only prepare looks at.
func own(op stet.Op) *stet.Op {
	switch {
	case op.Save != nil:
		d := *op.Save
		d.Labels, d.Parents = slices.Clone(d.Labels), slices.Clone(d.Parents)
		op.Save = &d
	case op.Delete != nil:
		d := *op.Delete
		op.Delete = &d
	case op.SetLabel != nil:
		l := *op.SetLabel
		op.SetLabel = &l
	case op.RemoveLabel != nil:
		l := *op.RemoveLabel
		op.RemoveLabel = &l
	case op.Rollback != nil:
		r := *op.Rollback
		op.Rollback = &r
	}
	return &op
}

func (c *Core) prepareOp(ctx context.Context, p *preparedOp, op *stet.Op, in *pending) (err error) {
	p.op = op
	kinds := 0
	for _, is := range []bool{op.Save != nil, op.Delete != nil, op.SetLabel != nil, op.RemoveLabel != nil, op.Rollback != nil, op.Clear != nil} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return stet.Errorf(stet.CodeInvalid, "an operation is exactly one of save, delete, set_label, remove_label, rollback and clear; this one is %d of them.", kinds)
	}
	in.size += 256
	switch {
	case op.Save != nil:
		return c.prepareSave(ctx, p, op.Save, in)
	case op.Delete != nil:
		if op.Delete.Version != "" {
			if p.number, err = stet.ParseNumber(op.Delete.Version); err != nil {
				return err
			}
		}
		return stet.CheckID(op.Delete.PromptID)
	case op.SetLabel != nil:
		o := op.SetLabel
		if p.to, err = selector.Parse(o.Version); err != nil {
			return err
		}
		if o.Version == "" {
			return stet.Errorf(stet.CodeInvalid, "it is not said which version the label %q is to go to. Give a version.", o.Label)
		}
		return p.prepareLabel(o.PromptID, o.Label, o.Expect)
	case op.RemoveLabel != nil:
		return p.prepareLabel(op.RemoveLabel.PromptID, op.RemoveLabel.Label, op.RemoveLabel.Expect)
	case op.Rollback != nil:
		return p.prepareLabel(op.Rollback.PromptID, rollbackLabel(op.Rollback), op.Rollback.Expect)
	}
	return nil
}

func rollbackLabel(r *stet.Rollback) string {
	if r.Label == "" {
		return stet.DefaultLabel
	}
	return r.Label
}

func (p *preparedOp) prepareLabel(id, label string, expect *string) error {
	if err := stet.CheckID(id); err != nil {
		return err
	}
	if err := stet.CheckLabel(label); err != nil {
		return err
	}
	return p.prepareExpect(expect)
}

func (p *preparedOp) prepareExpect(expect *string) (err error) {
	if expect == nil {
		return nil
	}
	p.expects = true
	if *expect != "" {
		p.expect, err = stet.ParseNumber(*expect)
	}
	return err
}

func (c *Core) prepareSave(ctx context.Context, p *preparedOp, d *stet.Draft, in *pending) (err error) {
	if err := stet.CheckID(d.PromptID); err != nil {
		return err
	}
	if d.Version != "" && d.Bump != "" {
		return stet.Errorf(stet.CodeInvalid, "the draft gives both a version (%s) and a bump (%s). Give one: a version to choose the number, a bump to let the store choose it.", d.Version, d.Bump)
	}
	if d.Version != "" {
		if p.number, err = stet.ParseNumber(d.Version); err != nil {
			return err
		}
	} else if p.bump, err = stet.ParseBump(string(d.Bump)); err != nil {
		return err
	}
	if err := p.prepareExpect(d.Expect); err != nil {
		return err
	}
	if len(d.Labels) > maxLabels {
		return stet.Errorf(stet.CodeTooLarge, "the draft has %d labels; %d is the most.", len(d.Labels), maxLabels)
	}
	for i, l := range d.Labels {
		if err := stet.CheckLabel(l); err != nil {
			return err
		}
		if slices.Contains(d.Labels[:i], l) {
			return stet.Errorf(stet.CodeInvalid, "the draft names the label %q twice.", l)
		}
	}
	if p.parents, err = parseParents(d.Parents); err != nil {
		return err
	}
	body, err := d.Content(c.opts.MaxContent)
	if err != nil {
		return err
	}
	metadata, err := canonicalMetadata(d.Metadata)
	if err != nil {
		return err
	}
	p.fields = stet.Fields{
		PromptID: d.PromptID, Content: body, Digest: body.Digest(), Metadata: metadata,
		Parents: slices.Clone(d.Parents), Author: d.Author, Message: d.Message, CreatedAt: in.time,
	}
	if d.Author == "" {
		p.fields.Author = in.author
	}
	if d.Message == "" {
		p.fields.Message = in.message
	}
	if err := checkProse("author", d.Author, maxAuthor); err != nil {
		return err
	}
	if err := checkProse("message", d.Message, maxMessage); err != nil {
		return err
	}
	if !d.CreatedAt.IsZero() {
		p.fields.CreatedAt = d.CreatedAt.UTC().Truncate(time.Microsecond)
		if err := checkTime("created_at", p.fields.CreatedAt); err != nil {
			return err
		}
		if p.fields.CreatedAt.IsZero() {
			return stet.Errorf(stet.CodeInvalid, "the created_at is less than a microsecond after the beginning of the year 1, which stands for none. Give a later time, or leave it out.")
		}
	}
	p.stored = string(appendFields(make([]byte, 0, 128), &p.fields))
	p.seal = seal(p.fields.Digest, p.stored)
	in.size += len(p.stored) + len(bodyText(body))
	if p.bump == stet.BumpAuto {
		// The writer will compare with latest: better that it is read from the
		// disk here than there.
		if h, _ := c.newest(d.PromptID); h != nil && h.latest != nil {
			_, _ = c.body(ctx, d.PromptID, h.latest)
		}
	}
	return nil
}

func parseParents(refs []string) ([]parent, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	if len(refs) > maxParents {
		return nil, stet.Errorf(stet.CodeTooLarge, "the draft has %d parents; %d is the most.", len(refs), maxParents)
	}
	parents := make([]parent, len(refs))
	for i, ref := range refs {
		id, sel, ok := stet.SplitRef(ref)
		if !ok {
			return nil, stet.Errorf(stet.CodeInvalid, "the parent %q names no version. Write ID@NUMBER.", ref)
		}
		if err := stet.CheckID(id); err != nil {
			return nil, err
		}
		n, err := stet.ParseNumber(sel)
		if err != nil {
			return nil, err
		}
		parents[i] = parent{id, n}
	}
	return parents, nil
}

func canonicalMetadata(raw []byte) (string, error) {
	if len(raw) == 0 {
		return "{}", nil
	}
	if len(raw) > maxMetadata {
		return "", stet.Errorf(stet.CodeTooLarge, "the metadata has %d bytes; %d is the most.", len(raw), maxMetadata)
	}
	m, err := content.Canonicalize(raw)
	if err != nil {
		return "", stet.WrapError(err, stet.CodeOf(err), "the metadata is not acceptable: %s", stet.AsError(err).Message)
	}
	switch {
	case string(m) == "null":
		return "{}", nil
	case m[0] != '{':
		return "", stet.Errorf(stet.CodeInvalid, "the metadata is not a JSON object. Write {\"key\": value, …}.")
	}
	return string(m), nil
}

func checkTime(what string, t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return stet.Errorf(stet.CodeInvalid, "the %s is in the year %d. Give a time between the years 1 and 9999.", what, y)
	}
	return nil
}

func checkCommitID(id string) error {
	if len(id) > maxCommitID {
		return stet.Errorf(stet.CodeInvalid, "the commit's id has %d bytes; %d is the most.", len(id), maxCommitID)
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return stet.Errorf(stet.CodeInvalid, "the commit's id %q has a character that is not visible ASCII at byte %d. Use letters, digits and punctuation, a UUID for example.", id, i)
		}
	}
	return nil
}

// checkProse checks a text that people write about a commit.
func checkProse(what, s string, most int) error {
	switch {
	case len(s) > most:
		return stet.Errorf(stet.CodeTooLarge, "the %s has %d bytes; %d is the most.", what, len(s), most)
	case !utf8.ValidString(s):
		return stet.Errorf(stet.CodeInvalid, "the %s is not valid UTF-8.", what)
	case strings.ContainsRune(s, 0):
		return stet.Errorf(stet.CodeInvalid, "the %s has the character U+0000. Leave it out.", what)
	}
	return nil
}
