package main

import (
	"context"
	"fmt"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/term"
)

type verifyCmd struct {
	Expect *string `placeholder:"HASH" help:"A hash that verify printed before and that was kept elsewhere: the log must still have it."`
}

func (*verifyCmd) Help() string {
	return `Examples:

    stet verify
    stet verify --expect 5f0c…        # finds a lost tail and a rewritten log too

The hash that is printed stands for the whole log: note it elsewhere. Exits with 1 if
something is wrong. With --json: {"revision","hash","prompts","versions","problems"}.`
}

func (c *verifyCmd) Run(a *app) error {
	expect, err := expected(c.Expect)
	if err != nil {
		return err
	}
	o := stet.VerifyOptions{Expect: expect}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		bar := a.bar(100, "verifying")
		o.Progress = bar.part
		r, err := s.Verify(ctx, o)
		bar.done()
		if err != nil {
			return err
		}
		return a.verified(&r)
	})
}

// expected parses --expect; the zero hash if it is not given.
func expected(flag *string) (h stet.Hash, err error) {
	if flag == nil {
		return h, nil
	}
	if err := h.UnmarshalText([]byte(*flag)); err != nil {
		return h, err
	}
	if h.IsZero() {
		return h, stet.Errorf(stet.CodeInvalid, "the hash to expect is all zeros, which no entry of a log has. Give one that verify printed.")
	}
	return h, nil
}

func (a *app) verified(r *stet.Report) error {
	if a.flags.JSON {
		if r.Problems == nil {
			r.Problems = []string{}
		}
		a.json(r)
	} else {
		for _, p := range r.Problems {
			a.println(a.out.Paint(term.Red, "problem:") + " " + term.Line(p))
		}
		what := fmt.Sprintf("%s, %s, revision %d, hash %s", plural(r.Prompts, "prompt"), plural(r.Versions, "version"), r.Revision, r.Hash)
		if r.OK() {
			a.println(a.out.Paint(term.Green, "sound:") + " " + what)
		} else {
			a.println(a.out.Paint(term.BoldRed, "damaged:") + " " + what)
		}
	}
	if !r.OK() {
		return errReported
	}
	return nil
}
