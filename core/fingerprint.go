package core

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/stet-dev/stet/prompt"
)

// fingerprint stands for the operations of a commit as they were asked for, so
// that an id that comes again can be held against what came first. It depends on
// nothing but the request: not on the clock, and not on how the JSON was written.
func fingerprint(req *prompt.Commit, p *pending) string {
	f := fingerprinter(make([]byte, 0, 512)) // it stays on the stack, mostly
	f.text(req.Author, req.Message)
	for i := range p.ops {
		op := &p.ops[i]
		switch o := op.op; {
		case o.Save != nil:
			d := o.Save
			f.text("save", d.PromptID, d.Version, string(op.bump))
			f = append(f, op.fields.Digest[:]...)
			f.expect(d.Expect)
			f.flag(d.IfChanged)
			f.list(d.Labels)
			f.list(d.Parents)
			f.text(op.fields.Metadata, d.Author, d.Message)
			if !d.CreatedAt.IsZero() {
				f.text(prompt.FormatTime(op.fields.CreatedAt))
			}
		case o.Delete != nil:
			f.text("delete", o.Delete.PromptID, o.Delete.Version)
			f.flag(o.Delete.Force)
		case o.SetLabel != nil:
			f.text("set_label", o.SetLabel.PromptID, o.SetLabel.Label, o.SetLabel.Version)
			f.expect(o.SetLabel.Expect)
		case o.RemoveLabel != nil:
			f.text("remove_label", o.RemoveLabel.PromptID, o.RemoveLabel.Label)
			f.expect(o.RemoveLabel.Expect)
		case o.Rollback != nil:
			f.text("rollback", o.Rollback.PromptID, rollbackLabel(o.Rollback))
			f.expect(o.Rollback.Expect)
		default:
			f.text("clear")
		}
	}
	sum := sha256.Sum256(f)
	// 96 bits are enough to tell honest requests apart, and they are kept with
	// every commit.
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// A fingerprinter collects what is hashed, each text after its length.
type fingerprinter []byte

func (f *fingerprinter) text(parts ...string) {
	for _, s := range parts {
		*f = binary.BigEndian.AppendUint64(*f, uint64(len(s)))
		*f = append(*f, s...)
	}
}

func (f *fingerprinter) list(parts []string) {
	f.text(string(rune(len(parts))))
	f.text(parts...)
}

func (f *fingerprinter) flag(b bool) {
	if b {
		f.text("yes")
	} else {
		f.text("no")
	}
}

func (f *fingerprinter) expect(e *string) {
	f.flag(e != nil)
	if e != nil {
		f.text(*e)
	}
}
