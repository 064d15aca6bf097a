package httpapi

import (
	"net/http"
	"net/url"

	"github.com/stet-dev/stet"
)

// saveVersion adds a version. It answers 201, or 200 if latest already had the content.
func (s *Server) saveVersion(c *call) error {
	if err := c.plainJSON(); err != nil {
		return err
	}
	if err := c.unconditional(); err != nil {
		return err
	}
	var d stet.Draft
	if err := c.body(&d); err != nil {
		return err
	}
	id := c.writeID()
	if d.PromptID == "" {
		d.PromptID = id
	}
	if d.PromptID != id {
		return stet.Errorf(stet.CodeInvalid, "the path names the prompt %q, and the draft %q. Leave prompt_id out.", id, d.PromptID)
	}
	commit, err := c.newCommit(stet.Op{Save: &d})
	if err != nil {
		return err
	}
	if commit.Author == "" {
		commit.Author = d.Author
	}
	if commit.Message == "" {
		commit.Message = d.Message
	}
	done, err := c.commit(&commit)
	if err != nil {
		return single(err)
	}
	v, r := done.Versions[0], &done.Results[0]
	number := v.Number().String()
	h := c.w.Header()
	h["Stet-Version"] = []string{number}
	if r.Bump != "" {
		h["Stet-Bump"] = []string{string(r.Bump)}
	}
	if r.Reason != "" {
		h["Stet-Bump-Reason"] = []string{url.PathEscape(r.Reason)}
	}
	status := http.StatusOK
	if !r.Unchanged {
		status = http.StatusCreated
		h["Location"] = []string{"/v1/prompts/" + url.PathEscape(id) + "/versions/" + number}
	}
	h["Cache-Control"] = noStore
	b := buffers.Get().(*[]byte)
	body := append(v.AppendJSON((*b)[:0]), '\n')
	c.sendBuffer(status, typeJSON, s.versionTag(v)+c.mark, b, body)
	return nil
}
