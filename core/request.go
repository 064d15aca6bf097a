package core

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/selector"
	"github.com/stet-dev/stet/internal/visible"
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

// A request is a commit that was checked as far as that is possible without the state,
// with everything computed that takes time: that happens in the caller's goroutine, so
// that the one writer has little to do. It waits in the queue until the writer takes it.
type request struct {
	id          string
	generated   bool // the store made the id: nobody can have used it before
	tried       bool // it was in an append before: its id may be in the log
	author      string
	message     string
	time        time.Time
	fingerprint string
	operations  []operation
	epoch       uint64 // that conditions of the operations are of, 0 for any
	size        int    // bytes of the bodies and strings

	// copied is set for a change of another log, which is taken over as it is. Those that
	// are copied together are a chain, which is queued by its first; each is carried out
	// only if the one before it is.
	copied         bool
	previous, next *request

	claimed  atomic.Bool   // by the writer, or by a caller who gives up
	answered chan struct{} // closed when outcome is there

	// The writer's until then.
	outcome outcome
	after   int // how many entries of its batch are before its own: outcome rests on them
}

// claim takes a request, with the chain that follows it, for the writer and appends them
// to dst. It appends none if the caller has given up.
func (r *request) claim(dst []*request) []*request {
	if !r.claimed.CompareAndSwap(false, true) {
		return dst
	}
	for ; r != nil; r = r.next {
		r.claimed.Store(true)
		dst = append(dst, r)
	}
	return dst
}

// An operation is one operation of a request, parsed. It shares no memory that the caller
// could change.
type operation struct {
	kind     string // as stet.Op.Kind has it
	promptID string

	number  stet.Number       // of a save or a delete; zero if none was given
	label   string            // of an operation on a label
	to      selector.Selector // where the label is to go
	force   bool              // of a delete
	expects bool              // there is a condition:
	expect  stet.Number       // what latest, or the label, must be at now

	// Of a save.
	fields    stet.VersionFields // but for number, ordinal and revision
	stored    string             // the body's Fields
	seal      stet.Hash
	bump      stet.Bump
	dated     bool // the draft gives created_at
	ifChanged bool
	labels    []string
	parents   []parent

	// resolved is the operation of a copied change as the other log has it.
	resolved *stet.ChangeOp
}

type parent struct {
	id     string
	number stet.Number
}

// saved returns the fields of the version that a save has added.
func (op *operation) saved(s *stet.SaveChange, revision uint64) stet.VersionFields {
	f := op.fields
	f.Number, f.Ordinal, f.Revision = s.Version, s.Ordinal, revision
	return f
}

// newRequest checks a commit and computes what does not depend on the state.
//
// Nothing is kept that its caller could change: a commit of unknown outcome is still at
// work when its caller is told.
func (c *core) newRequest(ctx context.Context, commit *stet.Commit) (*request, error) {
	r := &request{
		id: commit.ID, author: commit.Author, message: commit.Message, epoch: commit.Epoch,
		time:       c.opts.Now().UTC().Truncate(time.Microsecond),
		operations: make([]operation, len(commit.Ops)), answered: make(chan struct{}),
	}
	if r.id == "" {
		r.id, r.generated = c.opts.NewID(), true
	}
	if err := checkCommitID(r.id); err != nil {
		return nil, err
	}
	if err := checkProse("author", r.author, maxAuthor); err != nil {
		return nil, err
	}
	if err := checkProse("message", r.message, maxMessage); err != nil {
		return nil, err
	}
	switch n := len(commit.Ops); {
	case n == 0:
		return nil, stet.Errorf(stet.CodeInvalid, "the commit has no operations. Give it at least one.")
	case n > stet.MaxOps:
		return nil, stet.Errorf(stet.CodeTooLarge, "the commit has %d operations; %d is the most. Split it.", n, stet.MaxOps)
	}
	f := newFingerprint(commit)
	for i := range commit.Ops {
		var err error
		if f, err = c.newOperation(ctx, r, &r.operations[i], &commit.Ops[i], f); err != nil {
			return nil, atOp(err, i)
		}
		if r.size > stet.MaxCommitBytes {
			return nil, stet.Errorf(stet.CodeTooLarge, "the commit has over %d MiB in its first %d operations, which is the most. Split it.",
				stet.MaxCommitBytes>>20, i+1)
		}
	}
	r.fingerprint = f.sum()
	return r, nil
}

// newOperation checks an operation, and adds what is asked for to the fingerprint.
func (c *core) newOperation(ctx context.Context, r *request, op *operation, o *stet.Op, f fingerprint) (_ fingerprint, err error) {
	if kinds := countSet(o.Save != nil, o.Delete != nil, o.SetLabel != nil, o.RemoveLabel != nil, o.Rollback != nil, o.Clear != nil); kinds != 1 {
		return f, stet.Errorf(stet.CodeInvalid, "an operation is exactly one of save, delete, set_label, remove_label, rollback and clear; this one is %d of them.", kinds)
	}
	op.kind, op.promptID = o.Kind(), o.PromptID()
	r.size += 256
	f = f.text(op.kind)
	switch {
	case o.Save != nil:
		if err := c.newSave(ctx, r, op, o.Save); err != nil {
			return f, err
		}
		return f.save(op, o.Save), nil
	case o.Delete != nil:
		op.force = o.Delete.Force
		if o.Delete.Version != "" {
			if op.number, err = stet.ParseNumber(o.Delete.Version); err != nil {
				return f, err
			}
		}
		return f.text(op.promptID, o.Delete.Version).flag(op.force), stet.CheckID(op.promptID)
	case o.SetLabel != nil:
		l := o.SetLabel
		if op.to, err = selector.Parse(l.Version); err != nil {
			return f, err
		}
		if l.Version == "" {
			return f, stet.Errorf(stet.CodeInvalid, "it is not said which version the label %s is to go to. Give a version.", visible.Quote(l.Label))
		}
		return f.text(op.promptID, l.Label, l.Version).expect(l.Expect), op.onLabel(l.Label, l.Expect)
	case o.RemoveLabel != nil:
		l := o.RemoveLabel
		return f.text(op.promptID, l.Label).expect(l.Expect), op.onLabel(l.Label, l.Expect)
	case o.Rollback != nil:
		label := cmp.Or(o.Rollback.Label, stet.DefaultLabel)
		return f.text(op.promptID, label).expect(o.Rollback.Expect), op.onLabel(label, o.Rollback.Expect)
	}
	return f, nil
}

func countSet(set ...bool) (n int) {
	for _, is := range set {
		if is {
			n++
		}
	}
	return n
}

// onLabel checks an operation on a label.
func (op *operation) onLabel(label string, expect *string) error {
	op.label = label
	if err := stet.CheckID(op.promptID); err != nil {
		return err
	}
	if err := stet.CheckLabel(label); err != nil {
		return err
	}
	return op.setExpect(expect)
}

func (op *operation) setExpect(expect *string) (err error) {
	if expect == nil {
		return nil
	}
	op.expects = true
	if *expect != "" {
		op.expect, err = stet.ParseNumber(*expect)
	}
	return err
}

func (c *core) newSave(ctx context.Context, r *request, op *operation, d *stet.Draft) (err error) {
	if err := stet.CheckID(d.PromptID); err != nil {
		return err
	}
	if d.Version != "" && d.Bump != "" {
		return stet.Errorf(stet.CodeInvalid, "the draft gives both a version (%s) and a bump (%s). Give one: a version to choose the number, a bump to let the store choose it.", visible.Quote(d.Version), visible.Quote(string(d.Bump)))
	}
	if d.Version != "" {
		if op.number, err = stet.ParseNumber(d.Version); err != nil {
			return err
		}
	} else if op.bump, err = stet.ParseBump(string(d.Bump)); err != nil {
		return err
	}
	if err := op.setExpect(d.Expect); err != nil {
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
	op.ifChanged, op.labels = d.IfChanged, slices.Clone(d.Labels)
	if op.parents, err = parseParents(d.Parents); err != nil {
		return err
	}
	body, err := d.Content()
	if err != nil {
		return err
	}
	metadata, err := canonicalMetadata(d.Metadata)
	if err != nil {
		return err
	}
	op.fields = stet.VersionFields{
		PromptID: d.PromptID, Content: body, Digest: body.Digest(), Metadata: metadata,
		Parents: slices.Clone(d.Parents), CreatedAt: r.time,
		Author: cmp.Or(d.Author, r.author), Message: cmp.Or(d.Message, r.message),
	}
	if err := checkProse("author", d.Author, maxAuthor); err != nil {
		return err
	}
	if err := checkProse("message", d.Message, maxMessage); err != nil {
		return err
	}
	if op.dated = !d.CreatedAt.IsZero(); op.dated {
		op.fields.CreatedAt = d.CreatedAt.UTC().Truncate(time.Microsecond)
		if err := checkTime("created_at", op.fields.CreatedAt); err != nil {
			return err
		}
		if op.fields.CreatedAt.IsZero() {
			return stet.Errorf(stet.CodeInvalid, "the created_at is less than a microsecond after the beginning of the year 1, which stands for none. Give a later time, or leave it out.")
		}
	}
	op.stored = string(appendFields(make([]byte, 0, 128), &op.fields))
	op.seal = seal(op.fields.Digest, op.stored)
	r.size += len(op.stored) + len(bodyText(body))
	if op.bump == stet.BumpAuto {
		// The writer will compare the content with latest. Read that from the disk here,
		// so that the writer need not.
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
			return nil, stet.Errorf(stet.CodeInvalid, "the parent %s names no version. Write ID@NUMBER.", visible.Quote(ref))
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
