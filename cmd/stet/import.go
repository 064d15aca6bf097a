package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/transfer"
)

type importCmd struct {
	File   string `arg:"" help:"A file of JSON lines; - is standard input."`
	Author string `placeholder:"NAME" help:"The author of drafts that name none. To run an import again, give the same."`
}

func (*importCmd) Help() string {
	return `Examples:

    stet import prompts.jsonl
    stet export --store sqlite:old.db | stet import -

A line is a draft:

    {"prompt_id":"support/triage","text":"…","message":"…","labels":["staging"]}

or a commit, {"ops":[{"set_label":{…}},…]}, or a line that stet export has written.

The first line that is refused ends the import. The message names the line and the reason,
and the exit code is that of the reason: 2 invalid, 3 not found, 4 conflict, 1 too large.
All lines before it stay in the store. Lines after it that were being written at the same
moment, for other prompts, may be in the store too; the message says how many.

An import that was stopped can be run again: it adds what is missing, and nothing twice,
with another key too. Only for commits with ids of their own the key must be the same,
because a server keeps the ids of each key apart.

With --json: {"lines","prompts","versions","changes","unchanged","already"}.`
}

func (c *importCmd) Run(a *app) error {
	f, in, done, err := a.input(c.File)
	if err != nil {
		return err
	}
	defer done()
	size := int64(-1)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return a.write(func(ctx context.Context, s *stet.Store) error {
		start := time.Now()
		bar := a.bar(size, "importing", progressbar.OptionShowBytes(size > 0), progressbar.OptionShowCount())
		sum, err := transfer.Import(ctx, s, in, transfer.ImportOptions{
			Author: c.Author,
			Keyed:  a.flags.Key != "",
			Progress: func(lines int, bytes int64) {
				if size < 0 {
					bytes = int64(lines)
				}
				bar.set(bytes)
			},
		})
		bar.done()
		if err == nil || sum.Lines > 0 {
			if perr := a.imported(sum, time.Since(start)); perr != nil {
				return perr
			}
		}
		return c.failed(sum, err)
	})
}

func (a *app) imported(sum transfer.Summary, took time.Duration) error {
	if a.flags.JSON {
		return a.json(sum)
	}
	s := fmt.Sprintf("%s, %s", plural(sum.Prompts, "prompt"), plural(sum.Versions, "version"))
	if sum.Changes > 0 {
		s += " and " + plural(sum.Changes, "other change")
	}
	s += fmt.Sprintf(" imported (%d were there already", sum.Already)
	if sum.Unchanged > 0 {
		s += fmt.Sprintf(", %d would have changed nothing", sum.Unchanged)
	}
	return a.println(fmt.Sprintf("%s) in %.1f s", s, took.Seconds()))
}

// failed reports which line ended the import and what is kept.
func (c *importCmd) failed(sum transfer.Summary, err error) error {
	var e *stet.Error
	if sum.Failed == 0 || !errors.As(err, &e) {
		return err
	}
	kept := ""
	switch n := sum.Lines - sum.After; n {
	case 0:
		kept = "Nothing before it was imported"
	case 1:
		kept = "The line before it is kept"
	default:
		kept = fmt.Sprintf("The %d lines before it are kept", n)
	}
	if sum.After > 0 {
		kept += fmt.Sprintf(", and %d that were under way after it", sum.After)
	}
	f := *e
	f.Message = fmt.Sprintf("line %d of %s: %s %s. An import that is run again adds nothing twice.", sum.Failed, inputName(c.File), e.Message, kept)
	return &f
}
