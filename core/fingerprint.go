package core

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/stet-dev/stet"
)

// fingerprint stands for the operations of a commit as they were asked for, so
// that an id that comes again can be held against what came first. It depends on
// nothing but the request: not on the clock, and not on how the JSON was written.
func fingerprint(req *stet.Commit, p *pending) string {
	f := fingerprinter(make([]byte, 0, 512)) // stays on the stack
	f = f.text(req.Author, req.Message)
	for i := range p.ops {
		op := &p.ops[i]
		switch o := op.op; {
		case o.Save != nil:
			d := o.Save
			f = f.text("save", d.PromptID, d.Version, string(op.bump))
			f = append(f, op.fields.Digest[:]...)
			f = f.expect(d.Expect).flag(d.IfChanged).list(d.Labels).list(d.Parents)
			f = f.text(op.fields.Metadata, d.Author, d.Message)
			if !d.CreatedAt.IsZero() {
				f = f.text(stet.FormatTime(op.fields.CreatedAt))
			}
		case o.Delete != nil:
			f = f.text("delete", o.Delete.PromptID, o.Delete.Version).flag(o.Delete.Force)
		case o.SetLabel != nil:
			l := o.SetLabel
			f = f.text("set_label", l.PromptID, l.Label, l.Version).expect(l.Expect)
		case o.RemoveLabel != nil:
			l := o.RemoveLabel
			f = f.text("remove_label", l.PromptID, l.Label).expect(l.Expect)
		case o.Rollback != nil:
			r := o.Rollback
			f = f.text("rollback", r.PromptID, rollbackLabel(r)).expect(r.Expect)
		default:
			f = f.text("clear")
		}
	}
	sum := sha256.Sum256(f)
	// 96 bits are enough to tell honest requests apart, and they are kept with
	// every commit.
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// A fingerprinter collects what is hashed, each text after its length.
type fingerprinter []byte

func (f fingerprinter) text(parts ...string) fingerprinter {
	for _, s := range parts {
		f = binary.BigEndian.AppendUint64(f, uint64(len(s)))
		f = append(f, s...)
	}
	return f
}

func (f fingerprinter) list(parts []string) fingerprinter {
	return f.text(string(rune(len(parts)))).text(parts...)
}

func (f fingerprinter) flag(b bool) fingerprinter {
	if b {
		return f.text("yes")
	}
	return f.text("no")
}

func (f fingerprinter) expect(e *string) fingerprinter {
	f = f.flag(e != nil)
	if e != nil {
		f = f.text(*e)
	}
	return f
}
