package httpapi

import (
	"strconv"

	"github.com/stet-dev/stet"
)

// deleteVersion removes a version. If there is none that is no error: Stet-Deleted has how
// many were removed.
func (s *Server) deleteVersion(c *call) error {
	return c.delete(stet.Delete{PromptID: c.writeID(), Version: c.pathValue("selector")})
}

// deletePrompt removes all versions of a prompt.
func (s *Server) deletePrompt(c *call) error {
	return c.delete(stet.Delete{PromptID: c.writeID()})
}

func (c *call) delete(d stet.Delete) error {
	p, err := c.params("force")
	if err != nil {
		return err
	}
	if d.Force, err = p.flag("force"); err != nil {
		return err
	}
	done, err := c.remove(stet.Op{Delete: &d})
	if err != nil {
		return err
	}
	c.w.Header()["Stet-Deleted"] = []string{strconv.Itoa(done.Results[0].Deleted)}
	c.empty()
	return nil
}

// clear removes everything, if the header X-Confirm says so.
func (s *Server) clear(c *call) error {
	if _, err := c.params(); err != nil {
		return err
	}
	confirm, err := c.header("X-Confirm")
	if err != nil {
		return err
	}
	if confirm != "clear" {
		return stet.Errorf(stet.CodeInvalid, "this removes every prompt of the store. To confirm, send the header X-Confirm: clear.")
	}
	if _, err := c.remove(stet.Op{Clear: &stet.Clear{}}); err != nil {
		return err
	}
	c.empty()
	return nil
}

// remove applies an operation that takes no body and no conditions.
func (c *call) remove(op stet.Op) (stet.Done, error) {
	if err := c.unconditional(); err != nil {
		return stet.Done{}, err
	}
	if c.hasBody() {
		return stet.Done{}, stet.Errorf(stet.CodeInvalid, "this takes no body. Leave it out.")
	}
	commit, err := c.newCommit(op)
	if err != nil {
		return stet.Done{}, err
	}
	done, err := c.commit(&commit)
	return done, single(err)
}
