package transfer

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet"
)

// A Line is one line of an import. Exactly one field is set.
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
	// Epoch is the epoch of the exported store, and Revision its newest revision when the
	// export began.
	Epoch    uint64 `json:"epoch"`
	Revision uint64 `json:"revision"`
}

// An End is the last line of an export. An export without it is incomplete.
type End struct {
	Format int `json:"stet_export_end"`
	// Changes is how many lines are between the header and the end.
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
		err = stet.Errorf(stet.CodeInvalid, `it is neither a draft ({"prompt_id","text",…}), nor a commit ({"ops":[…]}), nor of an export.`)
	}
	if err == nil && version != format {
		err = stet.Errorf(stet.CodeInvalid, "it is of an export in format %d, and this stet reads format %d. Use the stet that wrote it, or a newer one.", version, format)
	}
	if err != nil {
		return Line{}, err
	}
	return l, nil
}

// members returns the names of a JSON object's members. It does not check their values.
func members(line []byte) (map[string]bool, error) {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	switch d.PeekKind() {
	case '{':
	case '[':
		return nil, stet.Errorf(stet.CodeInvalid, "it begins a JSON list, and each line is one JSON object: jq -c '.[]' makes lines of a list.")
	case 0:
		return nil, broken(line)
	default:
		return nil, stet.Errorf(stet.CodeInvalid, "it is not a JSON object.")
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
		return nil, broken(line)
	}
	return names, nil
}

// broken returns the error for a line that is not JSON, in the words of the strict
// decoder. A line that ends between two members, as the lines of an indented object do,
// gets the hint that each object must be on one line.
func broken(line []byte) error {
	err := stet.Decode(bytes.NewReader(line), new(jsontext.Value))
	if err != nil && errors.Is(err, io.ErrUnexpectedEOF) && bytes.ContainsAny(line[max(0, len(line)-1):], "{[,") {
		return stet.WrapError(err, stet.CodeInvalid, "it breaks off, as indented JSON does, and each line is one whole JSON object: jq -c . makes such lines.")
	}
	return err
}

func decode[T any](line []byte) (*T, error) {
	v := new(T)
	if err := stet.Decode(bytes.NewReader(line), v); err != nil {
		return nil, err
	}
	return v, nil
}

// parseCopy reads a resolved change with the texts of its versions.
func parseCopy(line []byte) (*stet.Copy, error) {
	c, err := decode[stet.Copy](line)
	if err != nil {
		return nil, err
	}
	for i := range c.Change.Ops {
		if err := checkOp(&c.Change.Ops[i]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// checkOp checks the names in an operation, because replaying decides nothing anew.
func checkOp(o *stet.ChangeOp) error {
	switch o.Kind() {
	case "":
		return stet.Errorf(stet.CodeInvalid, "it has an operation of no known kind.")
	case "clear":
		return nil
	}
	if err := stet.CheckID(o.PromptID()); err != nil {
		return err
	}
	for _, l := range o.Labels() {
		if err := stet.CheckLabel(l.Label); err != nil {
			return err
		}
	}
	return nil
}
