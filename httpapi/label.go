package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// setLabel moves a label.
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
		return stet.Errorf(stet.CodeInvalid, "the body does not say where the label is to go. Give version: a number, or any selector.")
	}
	return c.move(body.Expect, func(id, label string, expect *string) stet.Op {
		return stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: label, Version: body.Version, Expect: expect}}
	})
}

// removeLabel takes a label away.
func (s *Server) removeLabel(c *call) error {
	return c.moveBack(func(id, label string, expect *string) stet.Op {
		return stet.Op{RemoveLabel: &stet.RemoveLabel{PromptID: id, Label: label, Expect: expect}}
	})
}

// rollback moves a label to where it was before its last move.
func (s *Server) rollback(c *call) error {
	return c.moveBack(func(id, label string, expect *string) stet.Op {
		return stet.Op{Rollback: &stet.Rollback{PromptID: id, Label: label, Expect: expect}}
	})
}

// plainJSON refuses what a request that takes no parameters and answers with JSON
// does not take.
func (c *call) plainJSON() error {
	_, err := c.accepts("application/json")
	if err == nil {
		_, err = c.params()
	}
	return err
}

// moveBack is move for what takes the body {"expect"}, or none.
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

// move carries out an operation on the label that the path names, under the
// condition of the body or that of the headers, and answers with the head.
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
		return stet.Errorf(stet.CodeInvalid, "both expect and a header (If-Match, If-None-Match) say where the label must be. Give one.")
	}
	if cond.given {
		expect = cond.expect
	}
	var ops []stet.Op
	if cond.exists {
		// The label moves to where it is, which is no move but fails if it is
		// nowhere: so the condition is part of the commit, like any other.
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
		c.empty() // it moved, and by now there is no head to tell
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

// A condition is what the headers of a request say of where a label must be.
type condition struct {
	given  bool
	exists bool    // it must be somewhere
	expect *string // it must be here
	epoch  uint64  // in which expect is a version; 0 for any
}

// condition reads If-Match, with the tag of a version as GET …/versions/LABEL gave
// it or *, and If-None-Match, with * only.
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
		// A condition that is left out of account overwrites what it was to protect.
		return condition{}, stet.Errorf(stet.CodeInvalid, "a condition is empty, or is If-Unmodified-Since, which is not taken. Give If-Match with one tag or *, or If-None-Match with *.")
	case match != "" && none != "":
		return condition{}, stet.Errorf(stet.CodeInvalid, "If-Match and If-None-Match are both given. Give one.")
	case none == "*":
		return condition{given: true, expect: new(string)}, nil
	case none != "":
		return condition{}, stet.Errorf(stet.CodeInvalid, "If-None-Match is %q. Write *, for a label that must be on no version; for one that must be on a certain version, If-Match.", none)
	case match == "*":
		return condition{given: true, exists: true}, nil
	case match == "":
		return condition{}, nil
	case strings.ContainsAny(match, ", "):
		return condition{}, stet.Errorf(stet.CodeInvalid, "If-Match has several tags; a label is at one version. Give the one.")
	}
	return c.tagged(id, label, match)
}

// tagged returns the condition that a label is at the version that a tag is of. That
// is taken from the log, whether or not the version still lives: a request that was
// carried out and is sent again makes the same commit, and the commit's id decides
// before its conditions do.
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

// failed returns err as 412 if it is the condition that does not hold.
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
