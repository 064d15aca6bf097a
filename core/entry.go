package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/driver"
)

// This file is the form of a commit in the log. It is a promise: entries are
// hashed as they stand and kept for ever. docs/format.md describes it, a golden
// test holds it.

// newEntry makes the entry of a request that the tx has carried out.
func newEntry(t *tx, r *request) driver.Entry {
	ch := r.outcome.change
	data := appendChange(make([]byte, 0, 192+256*len(ch.Ops)), ch)
	ch.Hash = link(t.hash, data)
	e := driver.Entry{Revision: ch.Revision, ID: ch.ID, Hash: ch.Hash, Data: data}
	for i := range ch.Ops {
		o := &ch.Ops[i]
		if o.Clear != nil {
			// What this commit itself saved before its clear goes too.
			for _, b := range e.Bodies {
				e.Dropped = append(e.Dropped, b.BodyRef)
			}
			e.Cleared, e.Moves = true, nil
			continue
		}
		if r.outcome.bodies[i] != nil {
			s, op := o.Save, &r.operations[i]
			e.Bodies = append(e.Bodies, driver.Body{
				BodyRef: driver.BodyRef{Revision: ch.Revision, Op: i, PromptID: s.PromptID, Version: s.Version.String(), Ordinal: s.Ordinal},
				Text:    bodyText(op.fields.Content), Fields: op.stored,
			})
		}
		e.Moves = appendMoves(e.Moves, o.PromptID(), o.Labels())
	}
	e.Dropped = append(e.Dropped, t.dropped()...)
	return e
}

func appendMoves(moves []driver.Move, id string, labels []stet.LabelChange) []driver.Move {
	for _, l := range labels {
		m := driver.Move{PromptID: id, Label: l.Label}
		if !l.To.IsZero() {
			m.Version = l.To.String()
		}
		moves = append(moves, m)
	}
	return moves
}

// appendChange appends the change as the log has it, without the hash: one JSON object,
// its members in a fixed order, those with their default left out. It is written by hand
// because it runs for each commit in the one goroutine that all commits go through.
func appendChange(dst []byte, c *stet.Change) []byte {
	dst = append(dst, `{"revision":`...)
	dst = strconv.AppendUint(dst, c.Revision, 10)
	dst = appendMember(dst, "id", c.ID)
	dst = append(dst, `,"time":"`...)
	dst = stet.AppendTime(dst, c.Time)
	dst = append(dst, '"')
	if c.Author != "" {
		dst = appendMember(dst, "author", c.Author)
	}
	if c.Message != "" {
		dst = appendMember(dst, "message", c.Message)
	}
	dst = append(dst, `,"ops":[`...)
	for i := range c.Ops {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendOp(dst, &c.Ops[i])
	}
	dst = append(dst, ']')
	if c.Fingerprint != "" {
		dst = appendMember(dst, "fingerprint", c.Fingerprint)
	}
	return append(dst, '}')
}

func appendOp(dst []byte, o *stet.ChangeOp) []byte {
	switch {
	case o.Save != nil:
		return append(appendSave(append(dst, `{"save":`...), o.Save), '}')
	case o.Delete != nil:
		return append(appendDelete(append(dst, `{"delete":`...), o.Delete), '}')
	case o.Label() != nil:
		dst = append(append(append(dst, `{"`...), o.Kind()...), `":`...)
		return append(appendLabel(dst, o.Label()), '}')
	}
	return append(dst, `{"clear":{}}`...)
}

func appendSave(dst []byte, s *stet.SaveChange) []byte {
	dst = append(dst, `{"prompt_id":`...)
	dst = content.AppendQuote(dst, s.PromptID)
	dst = append(dst, `,"version":"`...)
	dst = s.Version.AppendTo(dst)
	dst = append(dst, `","ordinal":`...)
	dst = strconv.AppendUint(dst, s.Ordinal, 10)
	dst = append(dst, `,"digest":"`...)
	dst, _ = s.Digest.AppendText(dst)
	dst = append(dst, '"')
	if !s.Seal.IsZero() {
		dst = append(dst, `,"seal":"`...)
		dst = hex.AppendEncode(dst, s.Seal[:])
		dst = append(dst, '"')
	}
	if s.Unchanged {
		dst = append(dst, `,"unchanged":true`...)
	}
	if s.Bump != "" {
		dst = appendMember(dst, "bump", string(s.Bump))
	}
	if s.Reason != "" {
		dst = appendMember(dst, "reason", s.Reason)
	}
	return append(appendLabels(dst, s.Labels), '}')
}

func appendDelete(dst []byte, d *stet.DeleteChange) []byte {
	dst = append(dst, `{"prompt_id":`...)
	dst = content.AppendQuote(dst, d.PromptID)
	dst = appendNumber(dst, "version", d.Version)
	dst = append(dst, `,"deleted":`...)
	dst = strconv.AppendInt(dst, int64(d.Deleted), 10)
	return append(appendLabels(dst, d.Labels), '}')
}

func appendLabels(dst []byte, labels []stet.LabelChange) []byte {
	if len(labels) == 0 {
		return dst
	}
	dst = append(dst, `,"labels":[`...)
	for i := range labels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendLabel(dst, &labels[i])
	}
	return append(dst, ']')
}

func appendLabel(dst []byte, l *stet.LabelChange) []byte {
	dst = append(dst, '{')
	if l.PromptID != "" {
		dst = append(dst, `"prompt_id":`...)
		dst = content.AppendQuote(dst, l.PromptID)
		dst = append(dst, ',')
	}
	dst = append(dst, `"label":`...)
	dst = content.AppendQuote(dst, l.Label)
	dst = appendNumber(dst, "from", l.From)
	dst = appendNumber(dst, "to", l.To)
	return append(dst, '}')
}

func appendMember(dst []byte, name, value string) []byte {
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return content.AppendQuote(dst, value)
}

func appendNumber(dst []byte, name string, n stet.Number) []byte {
	if n.IsZero() {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":"`...)
	dst = n.AppendTo(dst)
	return append(dst, '"')
}

// decodeChange reads what appendChange writes. Members that it does not know are
// an error: they come from a newer stet, and what they mean must not be ignored.
func decodeChange(data []byte) (*stet.Change, error) {
	var w struct {
		Revision    uint64          `json:"revision"`
		ID          string          `json:"id"`
		Time        time.Time       `json:"time"`
		Author      string          `json:"author"`
		Message     string          `json:"message"`
		Ops         []stet.ChangeOp `json:"ops"`
		Fingerprint string          `json:"fingerprint"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return nil, err
	}
	return &stet.Change{
		Revision: w.Revision, ID: w.ID, Time: w.Time.UTC(), Author: w.Author, Message: w.Message,
		Ops: w.Ops, Fingerprint: w.Fingerprint,
	}, nil
}

// link is the hash of an entry.
func link(previous stet.Hash, data []byte) stet.Hash {
	h := sha256.New()
	h.Write(previous[:])
	h.Write(data)
	return stet.Hash(h.Sum(nil))
}

// decodeEntry reads an entry of the log that follows one with the given revision
// and hash, and checks that it does.
func decodeEntry(revision uint64, hash stet.Hash, e *driver.Entry) (*stet.Change, error) {
	c, err := decodeChange(e.Data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the entry at revision %d of the log cannot be read: %w", e.Revision, err)
	case e.Revision != revision+1 || c.Revision != e.Revision:
		return nil, fmt.Errorf("the log has revision %d (it says %d of itself) after %d", e.Revision, c.Revision, revision)
	case c.ID != e.ID:
		return nil, fmt.Errorf("the entry at revision %d of the log is filed under the id %q and says that it is %q", e.Revision, e.ID, c.ID)
	case link(hash, e.Data) != stet.Hash(e.Hash):
		return nil, fmt.Errorf("the entry at revision %d of the log does not have the hash that belongs to it", e.Revision)
	}
	c.Hash = e.Hash
	return c, nil
}

// A fingerprint stands for the operations of a commit as they were asked for, so that
// one whose id comes again can be compared with the first. It depends on nothing but the
// commit: not on the clock, and not on how the JSON was written.
//
// It is the bytes that are hashed: each text after its length.
type fingerprint []byte

func newFingerprint(c *stet.Commit) fingerprint {
	return fingerprint(make([]byte, 0, 512)).text(c.Author, c.Message)
}

func (f fingerprint) sum() string {
	sum := sha256.Sum256(f)
	// 96 bits are enough to tell honest requests apart, and they are kept with
	// every commit.
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (f fingerprint) save(op *operation, d *stet.Draft) fingerprint {
	f = f.text(d.PromptID, d.Version, string(op.bump))
	f = append(f, op.fields.Digest[:]...)
	f = f.expect(d.Expect).flag(d.IfChanged).list(d.Labels).list(d.Parents)
	f = f.text(op.fields.Metadata, d.Author, d.Message)
	if !d.CreatedAt.IsZero() {
		f = f.text(stet.FormatTime(op.fields.CreatedAt))
	}
	return f
}

func (f fingerprint) text(parts ...string) fingerprint {
	for _, s := range parts {
		f = binary.BigEndian.AppendUint64(f, uint64(len(s)))
		f = append(f, s...)
	}
	return f
}

func (f fingerprint) list(parts []string) fingerprint {
	return f.text(string(rune(len(parts)))).text(parts...)
}

func (f fingerprint) flag(b bool) fingerprint {
	if b {
		return f.text("yes")
	}
	return f.text("no")
}

func (f fingerprint) expect(e *string) fingerprint {
	f = f.flag(e != nil)
	if e != nil {
		f = f.text(*e)
	}
	return f
}
