package transfer

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/name"
	"github.com/stet-dev/stet/prompt"
)

// A Line is what one line of an import says: exactly one field is set.
type Line struct {
	Header *Header
	Draft  *stet.Draft
	Commit *stet.Commit
	Copy   *stet.Copy
	End    *End
}

// A Header is the first line of an export.
type Header struct {
	// Format is the version of the format: 1.
	Format  int    `json:"stet_export"`
	StoreID string `json:"store_id"`
	// Epoch is the epoch of the store that is exported, and Revision its newest
	// revision when that began.
	Epoch    uint64 `json:"epoch"`
	Revision uint64 `json:"revision"`
}

// An End is the last line of an export. Without it the export is not all there.
type End struct {
	Format int `json:"stet_export_end"`
	// Changes is how many lines stand between the header and the end.
	Changes int `json:"changes"`
}

// format is the version of the format that is written and read.
const format = 1

// Parse reads one line. The error says what is wrong with it.
func Parse(line []byte) (l Line, err error) {
	names, err := members(line)
	if err != nil {
		return l, err
	}
	var version int
	switch {
	case names["stet_export"]:
		l.Header, err = decode[Header](line)
		if err == nil {
			version = l.Header.Format
		}
	case names["stet_export_end"]:
		l.End, err = decode[End](line)
		if err == nil {
			version = l.End.Format
		}
	case names["ops"] && names["revision"]:
		l.Copy, err = parseCopy(line)
		return l, err
	case names["ops"]:
		l.Commit, err = decode[stet.Commit](line)
		return l, err
	case names["prompt_id"]:
		l.Draft, err = decode[stet.Draft](line)
		return l, err
	default:
		err = fault.New(fault.Invalid, `it is neither a draft ({"prompt_id","text",…}), nor a commit ({"ops":[…]}), nor of an export.`)
	}
	if err == nil && version != format {
		err = fault.New(fault.Invalid, "it is of an export in format %d, and this stet reads format %d. Use the stet that wrote it, or a newer one.", version, format)
	}
	if err != nil {
		return Line{}, err
	}
	return l, nil
}

// members returns the names of a JSON object's members, not looking at their values.
func members(line []byte) (map[string]bool, error) {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	if d.PeekKind() != '{' {
		if d.PeekKind() == 0 {
			return nil, prompt.Decode(bytes.NewReader(line), new(jsontext.Value))
		}
		return nil, fault.New(fault.Invalid, "it is not a JSON object.")
	}
	names := make(map[string]bool)
	d.ReadToken()
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err == nil {
			names[key.String()] = true
			err = d.SkipValue()
		}
		if err != nil {
			break
		}
	}
	if _, err := d.ReadToken(); err != nil {
		// The strict decoder says what is broken in stet's words.
		return nil, prompt.Decode(bytes.NewReader(line), new(jsontext.Value))
	}
	return names, nil
}

func decode[T any](line []byte) (*T, error) {
	v := new(T)
	if err := prompt.Decode(bytes.NewReader(line), v); err != nil {
		return nil, err
	}
	return v, nil
}

// copyLine is a settled change as an export has it: the wire form of a change
// with the texts of its versions.
type copyLine struct {
	Revision    uint64      `json:"revision"`
	ID          string      `json:"id"`
	Time        time.Time   `json:"time"`
	Author      string      `json:"author"`
	Message     string      `json:"message"`
	Ops         []copyOp    `json:"ops"`
	Fingerprint string      `json:"fingerprint"`
	Hash        prompt.Hash `json:"hash"`
}

type copyOp struct {
	Save *struct {
		prompt.SaveChange
		Content *versionLine `json:"content"`
	} `json:"save"`
	Delete      *prompt.DeleteChange `json:"delete"`
	SetLabel    *stet.LabelChange    `json:"set_label"`
	RemoveLabel *stet.LabelChange    `json:"remove_label"`
	Rollback    *stet.LabelChange    `json:"rollback"`
	Clear       *stet.Clear          `json:"clear"`
}

// versionLine is the wire form of a version.
type versionLine struct {
	PromptID  string          `json:"prompt_id"`
	Version   stet.Number     `json:"version"`
	Ordinal   uint64          `json:"ordinal"`
	Revision  uint64          `json:"revision"`
	Digest    stet.Digest     `json:"digest"`
	Type      string          `json:"type"`
	Text      *string         `json:"text"`
	Messages  json.RawMessage `json:"messages"`
	Variables []string        `json:"variables"`
	Config    json.RawMessage `json:"config"`
	Template  string          `json:"template"`
	Metadata  json.RawMessage `json:"metadata"`
	Parents   []string        `json:"parents"`
	Author    string          `json:"author"`
	Message   string          `json:"message"`
	CreatedAt time.Time       `json:"created_at"`
}

func parseCopy(line []byte) (*stet.Copy, error) {
	w, err := decode[copyLine](line)
	if err != nil {
		return nil, err
	}
	c := &stet.Copy{
		Change: stet.Change{
			Revision: w.Revision, ID: w.ID, Time: w.Time.UTC(), Author: w.Author, Message: w.Message,
			Ops: make([]stet.ChangeOp, len(w.Ops)), Fingerprint: w.Fingerprint, Hash: w.Hash,
		},
		Versions: make([]stet.Version, len(w.Ops)),
	}
	for i, o := range w.Ops {
		op := &c.Change.Ops[i]
		*op = stet.ChangeOp{Delete: o.Delete, SetLabel: o.SetLabel, RemoveLabel: o.RemoveLabel, Rollback: o.Rollback, Clear: o.Clear}
		if o.Save != nil {
			op.Save = &o.Save.SaveChange
			if o.Save.Content != nil {
				if c.Versions[i], err = o.Save.Content.version(); err != nil {
					return nil, err
				}
			}
		}
		if err := checkOp(op); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (v *versionLine) version() (stet.Version, error) {
	body, err := content.New(content.Spec{
		Type: v.Type, Text: v.Text, Messages: v.Messages, Config: v.Config, Template: v.Template, Limit: -1,
	})
	if err != nil {
		return stet.Version{}, err
	}
	metadata := []byte("{}")
	if len(v.Metadata) > 0 {
		if metadata, err = content.Canonicalize(v.Metadata); err != nil {
			return stet.Version{}, err
		}
	}
	r := prompt.NewRecord(prompt.Fields{
		PromptID: v.PromptID, Number: v.Version, Ordinal: v.Ordinal, Revision: v.Revision, Digest: v.Digest,
		Content: body, Metadata: string(metadata), Parents: v.Parents, Author: v.Author, Message: v.Message,
		CreatedAt: v.CreatedAt.UTC(),
	})
	return r.AsOf(v.Revision), nil
}

// checkOp checks the names in an operation: replaying it decides nothing anew.
func checkOp(o *stet.ChangeOp) error {
	id, labels := "", []stet.LabelChange(nil)
	switch {
	case o.Save != nil:
		id, labels = o.Save.PromptID, o.Save.Labels
	case o.Delete != nil:
		id, labels = o.Delete.PromptID, o.Delete.Labels
	case o.Clear != nil:
		return nil
	default:
		l := o.SetLabel
		if l == nil {
			l = o.RemoveLabel
		}
		if l == nil {
			l = o.Rollback
		}
		if l == nil {
			return fault.New(fault.Invalid, "it has an operation of no known kind.")
		}
		id, labels = l.PromptID, []stet.LabelChange{*l}
	}
	if err := name.CheckID(id); err != nil {
		return err
	}
	for _, l := range labels {
		if err := name.CheckLabel(l.Label); err != nil {
			return err
		}
	}
	return nil
}
