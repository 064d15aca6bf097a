package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/internal/transfer"
)

type exportCmd struct {
	Output string `short:"o" placeholder:"FILE" help:"Write to a file, which is there when all of it is."`
}

func (*exportCmd) Help() string {
	return `Examples:

    stet export -o prompts.jsonl
    stet export | gzip > prompts.jsonl.gz
    stet export | stet import - --store sqlite:copy.db

All that happened since the store was last cleared, one commit a line: imported into
another store it gives the same numbers, ordinals, digests, labels and label histories.
The texts of deleted versions are not in it; that they were there is.`
}

func (c *exportCmd) Run(a *app) error {
	return a.read(func(ctx context.Context, s *stet.Store) (err error) {
		if c.Output == "" || c.Output == "-" {
			if a.out.TTY {
				return fault.New(fault.Invalid, "an export is not for reading on a terminal. Write it to a file with -o FILE, or pipe it on.")
			}
			_, err := a.export(ctx, s, a.out)
			return err
		}
		f, err := os.CreateTemp(filepath.Dir(c.Output), "."+filepath.Base(c.Output)+".*")
		if err != nil {
			return err
		}
		defer func() {
			if err != nil {
				f.Close()
				os.Remove(f.Name())
			}
		}()
		changes, err := a.export(ctx, s, f)
		if err == nil {
			err = f.Sync()
		}
		if err == nil {
			err = f.Close()
		}
		if err == nil {
			err = os.Rename(f.Name(), c.Output)
		}
		if err == nil {
			a.say(fmt.Sprintf("%s exported to %s", plural(changes, "change"), c.Output))
		}
		return err
	})
}

func (a *app) export(ctx context.Context, s *stet.Store, w io.Writer) (int, error) {
	last, _ := s.Tail()
	bar := a.bar(int64(last), "exporting")
	defer bar.done()
	return transfer.Export(ctx, s, w, func(revision, _ uint64) { bar.set(int64(revision)) })
}
