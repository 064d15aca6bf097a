package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// setLabel moves a label to a version.
func (s *Server) setLabel(c *call) error {
	if err := c.plainJSON(); err != nil {
		return err
	}
	var body struct {
		Version string  `json:"version"`
		Expect  *string `json:"expect"`
	}
	if err := c.body(&body); err != nil {
		return err
	}
	if body.Version == "" {
		return stet.Errorf(stet.CodeInvalid, "the body does not say where to move the label. Give version: a number, or any selector.")
	}
	return c.move(body.Expect, func(id, label string, expect *string) stet.Op {
		return stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: label, Version: body.Version, Expect: expect}}
	})
}

// removeLabel removes a label.
func (s *Server) removeLabel(c *call) error {
	return c.moveBack(func(id, label string, expect *string) stet.Op {
		return stet.Op{RemoveLabel: &stet.RemoveLabel{PromptID: id, Label: label, Expect: expect}}
	})
}

// rollback undoes the newest move of a label.
func (s *Server) rollback(c *call) error {
	return c.moveBack(func(id, label string, expect *string) stet.Op {
		return stet.Op{Rollback: &stet.Rollback{PromptID: id, Label: label, Expect: expect}}
	})
}

// plainJSON checks a request that takes no parameters and answers with JSON.
func (c *call) plainJSON() error {
	_, err := c.accepts("application/json")
	if err == nil {
		_, err = c.params()
	}
	return err
}

// moveBack is move for a request whose body is {"expect"} or absent.
func (c *call) moveBack(op func(id, label string, expect *string) stet.Op) error {
	if err := c.plainJSON(); err != nil {
		return err
	}
	var body struct {
		Expect *string `json:"expect"`
	}
	if err := c.bodyIfAny(&body); err != nil {
		return err
	}
	return c.move(body.Expect, op)
}

// move applies an operation to the label that the path names, under the condition in the
// body or in the headers, and answers with the head.
func (c *call) move(expect *string, op func(id, label string, expect *string) stet.Op) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	label := c.pathValue("label")
	cond, err := c.condition(id, label)
	if err != nil {
		return err
	}
	if cond.given && expect != nil {
		return stet.Errorf(stet.CodeInvalid, "both expect and a header (If-Match, If-None-Match) are given. Give one.")
	}
	if cond.given {
		expect = cond.expect
	}
	var ops []stet.Op
	if cond.exists {
		// Moving the label to where it is changes nothing, but fails if the label does not
		// exist. So the condition is checked in the commit, like any other.
		ops = append(ops, stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: label, Version: label}})
	}
	commit, err := c.newCommit(append(ops, op(id, label, expect))...)
	if err != nil {
		return err
	}
	commit.Epoch = cond.epoch
	if _, err := c.commit(&commit); err != nil {
		return cond.failed(err)
	}
	head, err := c.s.store.Head(c.ctx(), id)
	if err != nil {
		c.empty() // the label moved, but the prompt was deleted since
		return nil
	}
	c.asOf(head.AsOf)
	c.w.Header()["Cache-Control"] = noStore
	body, err := head.MarshalJSON()
	if err != nil {
		return err
	}
	c.send(http.StatusOK, typeJSON, "W/"+c.s.revisionTag(head.Revision), append(body, '\n'))
	return nil
}

// A condition is what the headers of a request require of a label.
type condition struct {
	given  bool
	exists bool    // the label must exist
	expect *string // where the label must be
	epoch  uint64  // the epoch of expect; 0 for any
}

// condition reads If-Match, which has * or the tag of a version as GET …/versions/LABEL
// gave it, and If-None-Match, which has *.
func (c *call) condition(id, label string) (condition, error) {
	match, err := c.header("If-Match")
	if err != nil {
		return condition{}, err
	}
	none, err := c.header("If-None-Match")
	if err != nil {
		return condition{}, err
	}
	h := c.r.Header
	switch {
	case h["If-Match"] != nil && match == "" || h["If-None-Match"] != nil && none == "" || h["If-Unmodified-Since"] != nil:
		// To ignore a condition would overwrite what it protects.
		return condition{}, stet.Errorf(stet.CodeInvalid, "a condition is empty, or is If-Unmodified-Since, which is not supported. Give If-Match with one tag or *, or If-None-Match with *.")
	case match != "" && none != "":
		return condition{}, stet.Errorf(stet.CodeInvalid, "If-Match and If-None-Match are both given. Give one.")
	case none == "*":
		return condition{given: true, expect: new(string)}, nil
	case none != "":
		return condition{}, stet.Errorf(stet.CodeInvalid, "If-None-Match is %q. Write * if the label must not exist. If it must be on a certain version, use If-Match.", none)
	case match == "*":
		return condition{given: true, exists: true}, nil
	case match == "":
		return condition{}, nil
	case strings.ContainsAny(match, ", "):
		return condition{}, stet.Errorf(stet.CodeInvalid, "If-Match has several tags, but a label is at one version. Give one tag.")
	}
	return c.tagged(id, label, match)
}

// tagged returns the condition that a label is at the version with a tag. It finds the
// version in the log, whether or not it still lives: a request that was applied and is
// sent again makes the same commit, and the commit's id decides before its conditions do.
func (c *call) tagged(id, label, given string) (condition, error) {
	revision, ordinal, ok := c.s.parseVersionTag(given)
	if !ok || revision == 0 {
		return condition{}, precondition("If-Match is %s, which is not the tag of a version of this store. Get the version that %s is at, and give its ETag.", given, label)
	}
	tail, err := c.s.store.Tail(c.ctx())
	if err != nil {
		return condition{}, err
	}
	epoch := tail.Epoch
	over := revision < tail.Cleared // the version's epoch
	page, err := c.s.store.ChangesPage(c.ctx(), revision-1, stet.ChangesOptions{Limit: 1})
	if err != nil && stet.CodeOf(err) != stet.CodeNotFound {
		return condition{}, err
	}
	for i := range page.Items {
		for _, op := range slices.Backward(page.Items[i].Ops) {
			over = over || op.Clear != nil // what the commit saved before it cleared is gone, too
			if s := op.Save; s != nil && !s.Unchanged && s.PromptID == id && s.Ordinal == ordinal {
				number := s.Version.String()
				if over {
					epoch--
				}
				return condition{given: true, expect: &number, epoch: epoch}, nil
			}
		}
	}
	return condition{}, precondition("%s is not at the version that If-Match names: %s has never had such a version. Nothing changed. Get the version that %s is at.", label, id, label)
}

// failed returns err as 412 if the condition is what failed.
func (cond condition) failed(err error) error {
	e, ok := err.(*stet.Error)
	if !ok || !cond.given {
		return single(err)
	}
	unmet := e.Op == 0 && e.Code == stet.CodeConflict
	if cond.exists {
		unmet = e.Op == 0 && e.Code == stet.CodeNotFound
	}
	if !unmet {
		return single(err)
	}
	own := *e
	own.Code, own.Op = stet.CodeConflict, stet.NoOp
	return &statusError{&own, http.StatusPreconditionFailed}
}

func precondition(format string, args ...any) error {
	return withStatus(http.StatusPreconditionFailed, stet.CodeConflict, format, args...)
}
