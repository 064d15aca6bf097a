package httpapi

import (
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/temp"
	"github.com/stet-dev/stet/internal/transfer"
)

// verify recomputes every hash and digest. What it finds is its answer and not an
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

// backup answers with a file that holds the whole store. It is made and checked
// first, in a directory of its own, and goes when it is sent. To HEAD it is not made:
// what it will be is not known then.
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
		revision, _ := s.store.Tail()
		c.asOf(revision)
		h := c.w.Header()
		h["Content-Type"] = typeBytes
		h["Cache-Control"] = noStore
		return nil
	}
	dir, err := temp.Mkdir(c.ctx(), s.o.TempDir, "stet-backup-")
	if err != nil {
		return stet.WrapError(err, stet.CodeUnavailable, "there is no place to make the backup in: %v.", err)
	}
	defer dir.Remove() // if it is killed first, the next backup does
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
	c.cut(err)
	return nil
}

// export answers with everything since the last clear, in JSON lines, the last of
// which says that it is all there.
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
	revision, _ := s.store.Tail()
	c.asOf(revision)
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
		} else if !out.yes {
			return err
		}
	}
	if err != nil && !out.yes {
		return err
	}
	c.cut(err)
	return nil
}

// started is a writer that knows whether something was sent, after which an error
// can only be told by cutting the answer off.
type started struct {
	w   io.Writer
	yes bool
}

// Write writes to the answer.
func (s *started) Write(b []byte) (int, error) {
	s.yes = true
	return s.w.Write(b)
}

// cut ends the connection if err is not nil, so that the caller sees that what it
// got is not all. The log has why, if it is not that the caller has left.
func (c *call) cut(err error) {
	if err == nil {
		return
	}
	if over(c.a) {
		err = c.a.overError()
	}
	if rec := recorderOf(c.w); rec != nil {
		rec.err = err
		if !rec.left && c.ctx().Err() == nil {
			c.s.o.Log.Error("an answer was cut off", "error", err, "request_id", c.w.Header().Get(headerRequestID))
		}
	}
	panic(http.ErrAbortHandler)
}

// replay takes over one change as export gives it.
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
	line, err := c.receive("application/json", "application/x-ndjson")
	if err != nil {
		return err
	}
	if err := c.a.mayReadAll(); err != nil { // by now
		return err
	}
	l, err := transfer.Parse(line)
	if err != nil {
		return err
	}
	if l.Copy == nil {
		return stet.Errorf(stet.CodeInvalid, "this is not a change as an export has it. Send the lines between its first and its last, one at a time.")
	}
	done, err := s.store.Replay(c.ctx(), *l.Copy)
	if err != nil {
		return err
	}
	body, err := done.MarshalJSON()
	if err != nil {
		return err
	}
	c.asOf(done.Revision)
	c.w.Header()["Stet-Commit"] = []string{done.ID}
	c.send(http.StatusOK, typeJSON, "", append(body, '\n'))
	return nil
}
