package httpapi

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/temp"
	"github.com/stet-dev/stet/internal/transfer"
)

// verify recomputes every hash and digest. Damage is reported in the answer; it is not an
// error.
func (s *Server) verify(c *call) error {
	if err := c.plainJSON(); err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil {
		return err
	}
	var body struct {
		Expect stet.Hash `json:"expect"`
	}
	if err := c.bodyIfAny(&body); err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil { // by now
		return err
	}
	report, err := s.store.Verify(c.ctx(), stet.VerifyOptions{Expect: body.Expect})
	if err != nil {
		return err
	}
	answer, err := encode(report)
	if err != nil {
		return err
	}
	c.asOf(report.Revision)
	c.send(http.StatusOK, typeJSON, "", append(answer, '\n'))
	return nil
}

// backup answers with a file that holds the whole store. The file is made and checked in a
// temporary directory, and removed after it was sent. HEAD makes no file, so its answer
// has neither length nor hash.
func (s *Server) backup(c *call) error {
	if _, err := c.accepts("application/octet-stream"); err != nil {
		return err
	}
	if _, err := c.params(); err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil {
		return err
	}
	if c.r.Method == http.MethodHead {
		tail, err := s.store.Tail(c.ctx())
		if err != nil {
			return err
		}
		c.asOf(tail.Revision)
		h := c.w.Header()
		h["Content-Type"] = typeBytes
		h["Cache-Control"] = noStore
		return nil
	}
	dir, err := temp.Mkdir(c.ctx(), s.o.tempDir, "stet-backup-")
	if err != nil {
		return stet.WrapError(err, stet.CodeUnavailable, "the server has no place for the backup: %v.", err)
	}
	defer dir.Remove() // if this process is killed, the next backup removes it
	path := dir.Path("backup")
	revision, hash, err := s.store.Backup(c.ctx(), path, stet.BackupOptions{})
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return stet.WrapError(err, stet.CodeInternal, "the backup that was just made cannot be read: %v.", err)
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil {
		return stet.WrapError(err, stet.CodeInternal, "the backup that was just made cannot be read: %v.", err)
	}
	c.asOf(revision)
	h := c.w.Header()
	h["Stet-Revision"] = h["Stet-As-Of"]
	h["Stet-Hash"] = []string{hash.String()}
	h["Content-Type"] = typeBytes
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.FormatInt(info.Size(), 10)}
	_, err = io.Copy(c.w, f)
	c.abort(err)
	return nil
}

// export answers with everything since the last clear, in JSON lines. The last line says
// that the export is complete.
func (s *Server) export(c *call) error {
	_, o, err := c.reads("application/x-ndjson", "min_revision")
	if err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil {
		return err
	}
	if err := c.wait(o.MinRevision); err != nil {
		return err
	}
	tail, err := s.store.Tail(c.ctx())
	if err != nil {
		return err
	}
	c.asOf(tail.Revision)
	h := c.w.Header()
	h["Content-Type"] = typeLines
	h["Cache-Control"] = noStore
	c.vary(vary)
	if c.r.Method == http.MethodHead {
		return nil
	}
	out := &started{w: c.w}
	var w io.Writer = out
	var z io.WriteCloser
	if coding := negotiate(c.r.Header["Accept-Encoding"]); coding != nil {
		h["Content-Encoding"] = coding.header
		z = coding.writer(out)
		w = z
	}
	_, err = transfer.Export(c.ctx(), s.store, w, nil)
	if z != nil {
		if err == nil {
			err = z.Close()
		} else if !out.begun {
			return err
		}
	}
	if err != nil && !out.begun {
		return err
	}
	c.abort(err)
	return nil
}

// started is a writer that notes whether anything was sent. After that, an error can only
// be reported by cutting the answer off.
type started struct {
	w     io.Writer
	begun bool
}

// Write writes to the answer.
func (s *started) Write(b []byte) (int, error) {
	s.begun = true
	return s.w.Write(b)
}

// abort closes the connection if err is not nil, so that the client knows that the answer
// is incomplete. It logs the error, unless the client has left.
func (c *call) abort(err error) {
	if err == nil {
		return
	}
	if expired(c.a) {
		err = c.a.expiredError()
	}
	if rec := recorderOf(c.w); rec != nil {
		rec.err = err
		if !rec.left && c.ctx().Err() == nil {
			c.s.o.Log.Error("an answer was cut off", "error", err, "request_id", c.w.Header().Get(headerRequestID))
		}
	}
	panic(http.ErrAbortHandler)
}

// replay takes over changes in the lines of an export. It answers with the results of
// those before the first that failed. If the first of all fails, it answers with the
// error.
func (s *Server) replay(c *call) error {
	if err := c.plainJSON(); err != nil {
		return err
	}
	if err := c.unconditional(); err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil {
		return err
	}
	body, err := c.receive("application/json", "application/x-ndjson")
	if err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil { // by now
		return err
	}
	copies, bad := parseCopies(body)
	var all []stet.Done
	if len(copies) > 0 {
		all, err = s.store.Replay(c.ctx(), copies...)
	}
	err = cmp.Or(err, bad)
	if len(all) == 0 {
		return err
	}
	answer := append([]byte(nil), `{"commits":[`...)
	for i := range all {
		if i > 0 {
			answer = append(answer, ',')
		}
		line, err := all[i].MarshalJSON()
		if err != nil {
			return err
		}
		answer = append(answer, line...)
	}
	answer = append(answer, ']')
	if err != nil {
		e := stet.AsError(err)
		answer = content.AppendQuote(append(answer, `,"stopped":{"code":`...), string(e.Code))
		answer = append(content.AppendQuote(append(answer, `,"detail":`...), detail(e.Message)), '}')
	}
	c.asOf(all[len(all)-1].Revision)
	c.send(http.StatusOK, typeJSON, "", append(answer, '}', '\n'))
	return nil
}

// parseCopies reads one change a line. It ends at the first line that is not one, and
// returns why.
func parseCopies(body []byte) (copies []stet.Copy, bad error) {
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(copies) == stet.MaxLimit {
			return copies, stet.Errorf(stet.CodeTooLarge, "the body has over %d changes, which is the limit. Send the rest in another request.", stet.MaxLimit)
		}
		l, err := transfer.Parse(line)
		if err == nil && l.Copy == nil {
			err = stet.Errorf(stet.CodeInvalid, "this line is not a change of an export. Send the lines between its first and its last.")
		}
		if err != nil {
			return copies, err
		}
		copies = append(copies, *l.Copy)
	}
	if len(copies) == 0 {
		return nil, stet.Errorf(stet.CodeInvalid, "the body has no change. Send the lines of an export between its first and its last.")
	}
	return copies, nil
}
