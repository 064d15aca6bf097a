package core

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// addProblem adds to a report what is wrong.
func addProblem(r *stet.Report, format string, args ...any) {
	if len(r.Problems) < stet.MaxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Verify reads the whole log again, recomputes the hash of every entry, builds
// the heads anew from nothing else and compares them with those that reads are
// answered from, and recomputes the digest and the seal of every text. Commits
// and reads go on meanwhile; what is committed after the call is not checked.
//
// Of a large store it builds a part of the heads at a time, and reads the log once for
// each part: see [share].
//
// An error means that the check itself could not be made.
func (c *core) Verify(ctx context.Context, o stet.VerifyOptions) (stet.Report, error) {
	r := stet.Report{Problems: []string{}}
	if err := c.refresh(ctx); err != nil {
		return r, err
	}
	s := c.published.Load()
	if err := c.refuseClosed(); err != nil {
		return r, err
	}
	var stored driver.Reader = c.log
	if checker, ok := c.engine.(driver.Checker); ok {
		stored = checker.Aside()
		problems, err := checker.Check(ctx)
		switch why := c.whyUnread(err); {
		case why != nil:
			return r, why
		case err != nil:
			return r, stet.WrapError(err, stet.CodeUnavailable, "the storage could not be checked: %v.", err)
		}
		for _, p := range problems {
			addProblem(&r, "%s", p)
		}
	}
	p := share{most: verifyAtOnce}
	for more := true; more; more = p.next() {
		t, expected, err := c.verifyLog(ctx, stored, s, &p, o, &r)
		if err != nil {
			return r, err
		}
		if err := ctx.Err(); err != nil {
			return r, stet.WrapError(err, stet.CodeUnavailable, "the check was stopped: %v.", context.Cause(ctx))
		}
		if p.part == 0 && !o.Expect.IsZero() && !expected {
			addProblem(&r, "no entry of the log has the hash %s: its tail was lost, or it was rewritten", o.Expect)
		}
		if t == nil {
			return r, nil // what follows would only repeat it
		}
		verifyHeads(s, t, &p, &r)
		if err := c.verifyBodies(ctx, stored, s, &p, o, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

// verifyAtOnce is how many versions Verify builds anew at a time: 100 MB, at some 200
// bytes each. A prompt that has more is built as a whole all the same.
var verifyAtOnce = 1 << 19

// A share is the part of the prompts that Verify builds anew at a time: those with
// hash(id) & mask == part. It begins as all prompts, and is halved whenever it turns out
// to have more than most versions.
type share struct {
	mask, part uint32
	most       int
	seals      map[seat]stet.Hash // of the living versions of the part
}

// seat is where a version was saved.
type seat struct {
	revision uint64
	op       uint16
	id       uint32 // the hash of the prompt's id
}

func hashOf(id string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32()
}

func (p *share) has(id string) bool { return hashOf(id)&p.mask == p.part }

// next goes on to the next part, and reports whether there is one.
func (p *share) next() bool {
	p.part++
	return p.part <= p.mask
}

// mostParts bounds how often the log is read: halving does not help where one prompt has
// nearly all versions.
const mostParts = 64

// bound halves the part while it has more versions than are to be held at once.
func (p *share) bound(t *tx) {
	for len(p.seals) > p.most && p.part == 0 && p.mask+1 < mostParts {
		p.mask = p.mask<<1 | 1
		for id := range t.heads {
			if !p.has(id) {
				delete(t.heads, id)
			}
		}
		for at := range p.seals {
			if at.id&p.mask != p.part {
				delete(p.seals, at)
			}
		}
	}
}

// verifyLog checks the chain of hashes of the log. It returns the state that the log leads
// to, for the prompts of a share, or nil where an entry does not follow, and collects the
// seals of the versions that live there. An error means that the engine could not read,
// which is no problem of the store.
func (c *core) verifyLog(ctx context.Context, stored driver.Reader, s *snapshot, p *share, o stet.VerifyOptions, r *stet.Report) (t *tx, expected bool, err error) {
	p.seals = make(map[seat]stet.Hash)
	t = emptySnapshot().begin()
	for t.revision < s.revision && ctx.Err() == nil {
		entries, err := stored.Read(ctx, t.revision, int(min(readPage, s.revision-t.revision)))
		if why := c.whyUnread(err); why != nil {
			return nil, false, why
		}
		if err == nil && len(entries) == 0 {
			err = fmt.Errorf("the log ends there, and not at revision %d", s.revision)
		}
		if err != nil {
			addProblem(r, "the log cannot be read after revision %d: %v", t.revision, err)
			return nil, expected, nil
		}
		for i := range entries {
			newest := t.time
			if err := t.applyEntry(&entries[i], p.has); err != nil {
				addProblem(r, "%v", err)
				return nil, expected, nil
			}
			ch, _ := decodeChange(entries[i].Data) // applyEntry has read it
			if p.part == 0 && ch.Time.Before(newest) {
				addProblem(r, "the entry at revision %d is of %s, and one before it of %s: times went back, and reads at a time between them can be wrong; export the store and import it into a new one",
					ch.Revision, stet.FormatTime(ch.Time), stet.FormatTime(newest))
			}
			p.note(ch)
			t.deleted, t.deletedBefore, t.added = nil, 0, t.added[:0]
			p.bound(t)
			expected = expected || stet.Hash(entries[i].Hash) == o.Expect
		}
		r.Revision, r.Hash = t.revision, t.hash
		if o.Progress != nil {
			o.Progress(t.revision, s.revision)
		}
	}
	if t.hash != s.hash && p.part == 0 {
		addProblem(r, "the entry at revision %d has the hash %s, and not %s, which the store was opened with", t.revision, t.hash, s.hash)
	}
	return t, expected, nil
}

// note collects the seals of a change.
func (p *share) note(ch *stet.Change) {
	for i := range ch.Ops {
		switch o := &ch.Ops[i]; {
		case o.Clear != nil:
			clear(p.seals)
		case o.Save != nil && !o.Save.Unchanged && !o.Save.Seal.IsZero():
			if id := hashOf(o.Save.PromptID); id&p.mask == p.part {
				p.seals[seat{ch.Revision, uint16(i), id}] = o.Save.Seal
			}
		}
	}
}

// verifyHeads compares the heads that reads are answered from with those that
// the log leads to.
func verifyHeads(s *snapshot, t *tx, p *share, r *stet.Report) {
	if t.epoch != s.epoch && p.part == 0 {
		addProblem(r, "the log leads to epoch %d, and the store is in epoch %d", t.epoch, s.epoch)
	}
	for _, h := range t.heads {
		have := s.tree.get(h.id)
		if have == nil {
			addProblem(r, "%s is in the log and not in the store", h.id)
			continue
		}
		if diff := difference(have, h); diff != "" {
			addProblem(r, "%s is not as the log says: %s", h.id, diff)
		}
	}
	n := 0
	s.tree.tree.Scan(func(h *head) bool {
		if p.has(h.id) {
			n++
		}
		return true
	})
	if n != len(t.heads) {
		addProblem(r, "the store has %d prompts, and the log leads to %d", n, len(t.heads))
	}
}

// difference says how two heads of one prompt differ, "" if they do not.
func difference(a, b *head) string {
	switch {
	case a.revision != b.revision:
		return fmt.Sprintf("its revision is %d, not %d", a.revision, b.revision)
	case len(a.ordinals) != len(b.ordinals):
		return fmt.Sprintf("it has %d ordinals, not %d", len(a.ordinals), len(b.ordinals))
	case a.labels.len() != b.labels.len() || a.removed.len() != b.removed.len():
		return fmt.Sprintf("it has %d labels and has had %d more, not %d and %d", a.labels.len(), a.removed.len(), b.labels.len(), b.removed.len())
	case a.live.len() != b.live.len():
		return fmt.Sprintf("it has %d versions, not %d", a.live.len(), b.live.len())
	}
	for i, v := range a.ordinals {
		w := b.ordinals[i]
		av, bv := a.used(v.number), b.used(w.number)
		if v.number != w.number || v.digest != w.digest || v.revision != w.revision || v.op != w.op ||
			av == nil || bv == nil || av.deleted != bv.deleted {
			return fmt.Sprintf("ordinal %d is %s, not %s, or differs in digest, revision or deletion", i+1, v.number, w.number)
		}
	}
	return differentLabel(a, b)
}

// verifyBodies reads every text from the engine and recomputes its digest and seal.
func (c *core) verifyBodies(ctx context.Context, stored driver.Reader, s *snapshot, p *share, o stet.VerifyOptions, r *stet.Report) error {
	total := uint64(0)
	s.tree.tree.Scan(func(h *head) bool {
		total += uint64(h.live.len())
		if h.live.len() > 0 && p.has(h.id) {
			r.Prompts++
		}
		return true
	})
	var unread error
	s.tree.tree.Scan(func(h *head) bool {
		if !p.has(h.id) {
			return true
		}
		for v := range h.asOf(now).all(true, stet.Number{}) {
			if ctx.Err() != nil {
				return false
			}
			r.Versions++
			problem, err := c.verifyBody(ctx, stored, h.id, v, p.seals)
			if err != nil {
				unread = err
				return false
			}
			if problem != "" {
				addProblem(r, "%s@%s: %s", h.id, v.number, problem)
			}
			if o.Progress != nil && r.Versions%256 == 0 {
				o.Progress(uint64(r.Versions), total)
			}
		}
		return true
	})
	if err := ctx.Err(); err != nil {
		return stet.WrapError(err, stet.CodeUnavailable, "the check was stopped: %v.", context.Cause(ctx))
	}
	return unread
}

// verifyBody says what is wrong with the text of a version, "" for nothing. An error
// means that the engine could not read, which is no problem of the store.
func (c *core) verifyBody(ctx context.Context, stored driver.Reader, id string, v *version, seals map[seat]stet.Hash) (problem string, unread error) {
	b, err := stored.Body(ctx, bodyRef(id, v))
	if err != nil {
		if why := c.whyUnread(err); why != nil {
			return "", why
		}
		deleted, unread := c.deleted(ctx, id, v)
		if deleted || unread != nil {
			return "", unread // since the check began
		}
		return fmt.Sprintf("its text cannot be read: %v", err), nil
	}
	return wrongBody(&b, id, v, seals), nil
}

func wrongBody(b *driver.Body, id string, v *version, seals map[seat]stet.Hash) string {
	f, err := decodeBody(b.Text, b.Fields)
	switch {
	case err != nil:
		return fmt.Sprintf("its body cannot be decoded: %v", err)
	case f.Digest != v.digest:
		return fmt.Sprintf("its content has the digest %s, and the log says %s", f.Digest, v.digest)
	case seal(f.Digest, b.Fields) != seals[seat{v.revision, v.op, hashOf(id)}]:
		return "its metadata, author, message or time is not what was saved"
	case b.PromptID != id || b.Version != v.number.String() || b.Ordinal != uint64(v.ordinal):
		return fmt.Sprintf("its text is filed as %s@%s, ordinal %d", b.PromptID, b.Version, b.Ordinal)
	}
	return ""
}
