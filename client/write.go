package client

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/stet-dev/stet"
)

// maxCommit bounds a commit as JSON: its texts have at most stet.MaxCommitBytes, of
// which JSON may escape each byte with six; the rest is for names.
const maxCommit = 6*stet.MaxCommitBytes + 4<<20

// withVersions asks for the versions that a commit saved. Nobody changes it.
var withVersions = url.Values{"versions": {"true"}}

// Commit implements stet.Backend. Every write is a commit with an id, so that it can be
// sent again.
func (b *backend) Commit(ctx context.Context, c stet.Commit) (stet.Done, error) {
	if c.ID == "" {
		c.ID = b.opts.NewID()
	}
	body, err := encodeCommit(&c)
	if err != nil {
		return stet.Done{}, err
	}
	var done stet.Done
	r := &request{
		method: http.MethodPost, path: segments("commits"), query: withVersions,
		body: body, commit: c.ID,
	}
	err = b.do(ctx, r, func(_ http.Header, body []byte) error {
		var w doneJSON
		if err := json.Unmarshal(body, &w); err != nil {
			return err
		}
		if w.ID != c.ID || len(w.Results) != len(c.Ops) || len(w.Versions) != len(c.Ops) {
			return fmt.Errorf("it is of commit %q with %d results and %d versions, and the commit was %q with %d operations",
				w.ID, len(w.Results), len(w.Versions), c.ID, len(c.Ops))
		}
		done = w.done()
		done.Versions, err = w.versions(c.Ops)
		return err
	})
	return done, err
}

// doneJSON is the answer to a commit. Its versions are without their contents, which are
// those of the drafts.
type doneJSON struct {
	plainDone
	Versions []jsontext.Value `json:"versions"`
}

type plainDone stet.Done // without its MarshalJSON, for which it would not be embedded

func (w *doneJSON) done() stet.Done {
	d := stet.Done(w.plainDone)
	d.Time = d.Time.UTC()
	return d
}

// versions returns the versions that the operations saved, with the drafts' contents.
func (w *doneJSON) versions(ops []stet.Op) ([]stet.Version, error) {
	versions := make([]stet.Version, len(ops))
	for i, text := range w.Versions {
		if ops[i].Save == nil {
			continue
		}
		c, err := ops[i].Save.Content()
		if err != nil {
			return nil, err
		}
		v, err := stet.VersionWithContent(text, c)
		if err != nil {
			return nil, fmt.Errorf("the version that operation %d saved: %w", i, err)
		}
		versions[i] = v.WithAsOf(max(w.Revision, v.Revision()))
	}
	return versions, nil
}

// encodeCommit encodes a commit as JSON, operation by operation, so that an error has
// the index of the operation. It refuses what is not UTF-8: that would be changed.
func encodeCommit(c *stet.Commit) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, commitSize(c)))
	text.WriteString(`{"id":`)
	for _, m := range []struct{ name, value string }{{"", c.ID}, {"author", c.Author}, {"message", c.Message}} {
		if m.name != "" {
			text.WriteString(`,"` + m.name + `":`)
		}
		quoted, err := jsontext.AppendQuote(text.AvailableBuffer(), m.value)
		if err != nil {
			return nil, stet.Errorf(stet.CodeInvalid, "the commit's %s is not valid UTF-8.", cmp.Or(m.name, "id"))
		}
		text.Write(quoted)
	}
	if c.Epoch != 0 {
		fmt.Fprintf(text, `,"epoch":%d`, c.Epoch)
	}
	text.WriteString(`,"ops":[`)
	for i := range c.Ops {
		if i > 0 {
			text.WriteByte(',')
		}
		// Keep an expectation of "" and an empty clear: both have a meaning.
		err := json.MarshalWrite(text, &c.Ops[i], jsonv1.OmitEmptyWithLegacySemantics(true))
		if err != nil {
			e := stet.WrapError(err, stet.CodeInvalid, "%s cannot be sent: %v. Nothing changed.", where(err), cause(err))
			e.Op = i
			return nil, e
		}
		if text.Len() > maxCommit {
			return nil, stet.Errorf(stet.CodeTooLarge, "the commit has over %d MiB in its first %d operations, which is the most. Split it.",
				stet.MaxCommitBytes>>20, i+1)
		}
	}
	text.WriteString(`]}`)
	return text.Bytes(), nil
}

// commitSize is about the length of the JSON of a commit, if little of it is escaped.
func commitSize(c *stet.Commit) int {
	n := 256 + len(c.Author) + len(c.Message)
	for i := range c.Ops {
		n += 256
		if d := c.Ops[i].Save; d != nil {
			n += len(d.Text) + len(d.Messages) + len(d.Config) + len(d.Metadata)
		}
	}
	return n
}

// where says which member of an operation cannot be encoded.
func where(err error) string {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic) && syntactic.JSONPointer != "":
		return "the member " + string(syntactic.JSONPointer)
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		return "the member " + string(semantic.JSONPointer)
	}
	return "the operation"
}

// cause returns the reason inside an error of the encoder.
func cause(err error) error {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic) && syntactic.Err != nil:
		return syntactic.Err
	case errors.As(err, &semantic) && semantic.Err != nil:
		return cause(semantic.Err)
	}
	return err
}
