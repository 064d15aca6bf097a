package httpapi

import (
	"net/http"
	"strconv"

	"github.com/stet-dev/stet"
)

// headerKey is the header that names a commit: sent again with it, the commit
// happens once.
const headerKey = "Idempotency-Key"

// postCommit carries out a list of operations.
func (s *Server) postCommit(c *call) error {
	if _, err := c.accepts("application/json"); err != nil {
		return err
	}
	p, err := c.params("versions")
	if err != nil {
		return err
	}
	versions, err := p.flag("versions")
	if err != nil {
		return err
	}
	if err := c.unconditional(); err != nil {
		return err
	}
	key, err := c.header(headerKey)
	if err != nil {
		return err
	}
	var commit stet.Commit
	if err := c.body(&commit); err != nil {
		return err
	}
	switch {
	case commit.ID == "":
		commit.ID = key
	case key != "" && key != commit.ID:
		return stet.Errorf(stet.CodeInvalid, "the commit's id is %q and the header %s is %q. Give one of them, or the same twice.", commit.ID, headerKey, key)
	}
	if err := c.setAuthor(&commit); err != nil {
		return err
	}
	done, err := c.commit(&commit)
	if err != nil {
		return err
	}
	b := buffers.Get().(*[]byte)
	buf, err := appendMarshaled((*b)[:0], done)
	if err != nil {
		return err
	}
	if versions {
		buf = append(buf[:len(buf)-1], `,"versions":[`...)
		for i, v := range done.Versions {
			if i > 0 {
				buf = append(buf, ',')
			}
			if v.IsZero() {
				buf = append(buf, "null"...)
			} else {
				buf = v.AppendJSONWithoutContent(buf) // the caller has it in its draft
			}
		}
		buf = append(buf, "]}"...)
	}
	buf = append(buf, '\n')
	c.sendBuffer(http.StatusOK, typeJSON, "", b, buf)
	return nil
}

// commit carries out a commit as far as the caller may, and sets the headers that
// every write answers with. The id of what it returns is the one that the caller
// knows; that of an error is for scopeError.
func (c *call) commit(commit *stet.Commit) (stet.Done, error) {
	if err := c.a.commit(commit); err != nil {
		return stet.Done{}, err
	}
	done, err := c.s.store.Commit(c.ctx(), *commit)
	if err != nil {
		return done, err
	}
	done.ID = c.a.unscope(done.ID)
	for i, v := range done.Versions {
		done.Versions[i] = c.see(v)
	}
	revision := []string{strconv.FormatUint(done.Revision, 10)}
	h := c.w.Header()
	h["Stet-As-Of"] = revision
	h["Stet-Revision"] = revision
	h["Stet-Commit"] = []string{done.ID}
	if done.Replayed {
		h["Stet-Replayed"] = []string{"true"}
	}
	return done, nil
}

// newCommit returns a commit for a request whose id, author and message are in headers.
func (c *call) newCommit(ops ...stet.Op) (stet.Commit, error) {
	commit := stet.Commit{Ops: ops}
	var err error
	if commit.ID, err = c.header(headerKey); err != nil {
		return commit, err
	}
	return commit, c.setAuthor(&commit)
}

// setAuthor takes author and message from the headers, if they are given.
func (c *call) setAuthor(commit *stet.Commit) error {
	author, err := c.text("Stet-Author")
	if err != nil {
		return err
	}
	message, err := c.text("Stet-Message")
	if err != nil {
		return err
	}
	for _, m := range []struct {
		header, given string
		member        *string
	}{{"Stet-Author", author, &commit.Author}, {"Stet-Message", message, &commit.Message}} {
		switch {
		case m.given == "":
		case *m.member == "" || *m.member == m.given:
			*m.member = m.given
		default:
			return stet.Errorf(stet.CodeInvalid, "the header %s and the body say different things. Give one of them.", m.header)
		}
	}
	return nil
}

// unconditional refuses the headers of conditions: a write that ignored them would do what
// its caller did not ask for.
func (c *call) unconditional() error {
	for _, key := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since"} {
		if c.r.Header[key] != nil {
			return stet.Errorf(stet.CodeInvalid, "%s is not taken here. To keep from overwriting others, give expect in the body.", key)
		}
	}
	return nil
}
