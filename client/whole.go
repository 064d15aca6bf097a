package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/lines"
)

// Verify implements stet.Backend: the server checks its store. Progress is not reported.
func (b *backend) Verify(ctx context.Context, o stet.VerifyOptions) (stet.Report, error) {
	body, err := json.Marshal(struct {
		Expect stet.Hash `json:"expect,omitzero"`
	}{o.Expect})
	if err != nil {
		return stet.Report{}, stet.AsError(err)
	}
	var report stet.Report
	r := &request{method: http.MethodPost, path: segments("verify"), body: body, slow: true}
	err = b.do(ctx, r, func(h http.Header, body []byte) error {
		if err := into(&report)(h, body); err != nil {
			return err
		}
		if report.Problems == nil {
			return errors.New("it does not list the problems, of which there may be none")
		}
		return nil
	})
	return report, err
}

// What one replay request may have, at most, unless its only change is larger: enough to
// share a sync, and less than every server accepts.
const (
	replayChanges = stet.MaxLimit
	replayBytes   = 1 << 20
)

// Replay implements stet.Backend.
func (b *backend) Replay(ctx context.Context, copies ...stet.Copy) ([]stet.Done, error) {
	all := make([]stet.Done, 0, len(copies))
	for len(all) < len(copies) {
		lines, n, bad := encodeCopies(copies[len(all):])
		if n == 0 {
			return all, bad
		}
		done, err := b.replay(ctx, copies[len(all):][:n], lines)
		all = append(all, done...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// replay sends changes, and returns the results of the first of them, at least one. It
// does not return why the server stopped after these: the server says so when the rest is
// sent.
func (b *backend) replay(ctx context.Context, copies []stet.Copy, lines []byte) ([]stet.Done, error) {
	first := &copies[0].Change
	r := &request{
		method: http.MethodPost, path: segments("replay"), header: http.Header{"Content-Type": {"application/x-ndjson"}},
		body: lines, commit: first.ID,
	}
	var all []stet.Done
	err := b.do(ctx, r, func(_ http.Header, body []byte) error {
		var w struct {
			Commits []doneJSON `json:"commits"`
		}
		if err := json.Unmarshal(body, &w); err != nil {
			return err
		}
		if n := len(w.Commits); n == 0 || n > len(copies) {
			return fmt.Errorf("it is of %d changes, and %d were sent", n, len(copies))
		}
		all = make([]stet.Done, len(w.Commits))
		for i := range w.Commits {
			d, c := &w.Commits[i], &copies[i].Change
			if d.ID != c.ID || len(d.Results) != len(c.Ops) {
				return fmt.Errorf("it is of commit %q with %d results, and the change was %q with %d operations", d.ID, len(d.Results), c.ID, len(c.Ops))
			}
			all[i] = d.done()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// encodeCopies writes the first n changes as lines, as many as fit into one request. It
// ends before one that cannot be sent, and returns why.
func encodeCopies(copies []stet.Copy) (lines []byte, n int, bad error) {
	for n < min(len(copies), replayChanges) {
		c := &copies[n]
		if len(c.Versions) != len(c.Change.Ops) {
			return lines, n, stet.Errorf(stet.CodeInvalid, "the change %s has %d operations and %d versions; it must have one for each.", c.Change.ID, len(c.Change.Ops), len(c.Versions))
		}
		line, err := c.MarshalJSON()
		if err != nil {
			return lines, n, stet.WrapError(err, stet.CodeInvalid, "the change %s cannot be sent: %v. Nothing changed.", c.Change.ID, err)
		}
		if n > 0 && len(lines)+len(line) > replayBytes {
			break
		}
		lines = append(append(lines, line...), '\n')
		n++
	}
	return lines, n, nil
}

// Export implements stet.Backend. If the answer is cut off, Export asks again and goes
// on after the last change that it yielded. A version that was deleted in between is
// deleted by a change that is still to come, as in any export that takes long.
func (b *backend) Export(ctx context.Context, yield func(stet.Copy) error) error {
	e := &export{yield: yield}
	r := &request{method: http.MethodGet, path: segments("export"), accept: "application/x-ndjson, application/problem+json", slow: true}
	err := b.repeat(ctx, r, func() *failure {
		at := e.last
		f := b.export(ctx, r, e)
		if f != nil {
			f.progress = e.last > at
		}
		return f
	})
	if e.stopped != nil {
		return e.stopped
	}
	return err
}

// An export is the state of one call of Export.
type export struct {
	yield   func(stet.Copy) error
	begun   bool
	storeID string
	epoch   uint64
	last    uint64 // revision of the last change that was yielded
	stopped error  // what yield returned
}

// export reads one answer. Close does not wait for yield, which may be what closes the
// store.
func (b *backend) export(ctx context.Context, asked *request, e *export) *failure {
	resp, f := b.stream(ctx, asked)
	if f != nil {
		return f
	}
	defer resp.Body.Close()
	r := lines.NewReader(resp.Body, 64<<10)
	count := 0
	for {
		line, err := r.Next(b.opts.MaxAnswer)
		switch err {
		case nil:
		case lines.ErrTooLong:
			return b.interrupted(ctx, errAnswerTooLarge)
		case io.EOF:
			return b.interrupted(ctx, io.ErrUnexpectedEOF) // the last line of a whole export says so
		default:
			return b.interrupted(ctx, err)
		}
		switch kind, err := firstMember(line); {
		case err != nil:
			return b.malformed(err)
		case kind == "stet_export":
			if f := b.exportBegins(line, e); f != nil {
				return f
			}
		case !e.begun:
			return b.malformed(errors.New("it does not begin as an export does"))
		case kind == "stet_export_end":
			var end struct {
				Changes int `json:"changes"`
			}
			if err := json.Unmarshal(line, &end); err != nil {
				return b.malformed(err)
			}
			if end.Changes != count {
				return b.malformed(fmt.Errorf("it has %d changes, and says that it has %d", count, end.Changes))
			}
			return nil
		default:
			var c stet.Copy
			if err := json.Unmarshal(line, &c); err != nil {
				return b.malformed(err)
			}
			count++
			if c.Change.Revision <= e.last {
				continue // yielded before the answer was cut off
			}
			if e.stopped = e.yield(c); e.stopped != nil {
				return &failure{err: stet.AsError(e.stopped)}
			}
			e.last = c.Change.Revision
		}
	}
}

// exportBegins reads the first line. An export that was cut off can only be resumed in the
// same epoch of the same store.
func (b *backend) exportBegins(line []byte, e *export) *failure {
	var h struct {
		Format  int    `json:"stet_export"`
		StoreID string `json:"store_id"`
		Epoch   uint64 `json:"epoch"`
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return b.malformed(err)
	}
	switch {
	case h.Format != 1:
		return &failure{err: stet.Errorf(stet.CodeInvalid, "the server exports in format %d, and this program reads format 1. Use a newer one.", h.Format)}
	case e.begun && h.StoreID != e.storeID:
		return &failure{err: stet.Errorf(stet.CodeUnavailable, "the server has another store than when the export began. Export it again.")}
	case e.begun && h.Epoch != e.epoch:
		return &failure{err: stet.Errorf(stet.CodeUnavailable, "the store was cleared while it was exported. Export it again.")}
	}
	e.begun, e.storeID, e.epoch = true, h.StoreID, h.Epoch
	return nil
}

// firstMember returns the name of an object's first member, "" if it has none.
func firstMember(line []byte) (string, error) {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	t, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	if t.Kind() != '{' {
		return "", errors.New("a line of it is not an object")
	}
	if d.PeekKind() != '"' {
		return "", nil
	}
	t, err = d.ReadToken()
	if err != nil {
		return "", err
	}
	return t.String(), nil
}
