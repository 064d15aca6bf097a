package core

import (
	"bytes"
	"crypto/sha256"
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

// appendChange appends the change as the log has it: one JSON object with the
// members in a fixed order, those that have their default left out, without the
// hash. It is written by hand because it runs once a commit on the one goroutine
// that all commits go through.
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
	case o.SetLabel != nil:
		return append(appendLabel(append(dst, `{"set_label":`...), o.SetLabel), '}')
	case o.RemoveLabel != nil:
		return append(appendLabel(append(dst, `{"remove_label":`...), o.RemoveLabel), '}')
	case o.Rollback != nil:
		return append(appendLabel(append(dst, `{"rollback":`...), o.Rollback), '}')
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

// DecodeChange reads what appendChange writes. Members that it does not know are
// an error: they come from a newer stet, and what they mean must not be ignored.
func DecodeChange(data []byte) (*stet.Change, error) {
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
	c, err := DecodeChange(e.Data)
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
