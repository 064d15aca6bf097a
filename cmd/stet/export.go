package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/temp"
	"github.com/stet-dev/stet/internal/transfer"
)

type exportCmd struct {
	Output string `short:"o" placeholder:"FILE" help:"Write to a file, which appears when it is complete."`
}

func (*exportCmd) Help() string {
	return `Examples:

    stet export -o prompts.jsonl
    stet export | gzip > prompts.jsonl.gz
    stet export | stet import - --store sqlite:copy.db

Each line is one commit, from the last clear of the store on. Imported into another store
they make the same numbers, ordinals, digests, labels and label histories. Deleted versions
are in the export without their texts.`
}

func (c *exportCmd) Run(a *app) error {
	return a.read(func(ctx context.Context, s *stet.Store) (err error) {
		if c.Output == "" || c.Output == "-" {
			if a.out.TTY {
				return stet.Errorf(stet.CodeInvalid, "an export is not for reading on a terminal. Write it to a file with -o FILE, or pipe it on.")
			}
			_, err := a.export(ctx, s, a.out)
			return err
		}
		changes, err := c.write(ctx, a, s)
		if err == nil {
			a.say(fmt.Sprintf("%s exported to %s", plural(changes, "change"), c.Output))
		}
		return err
	})
}

// write writes the file, which appears when it is complete.
func (c *exportCmd) write(ctx context.Context, a *app, s *stet.Store) (changes int, err error) {
	path := c.Output
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // keep the link
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return 0, stet.Errorf(stet.CodeInvalid, "%s is not a regular file, and nothing can take its place. Name a file, or write to it with stet export > %s", c.Output, c.Output)
	}
	lock, err := filelock.Acquire(ctx, temp.LockPath(path), filelock.Options{})
	var held *filelock.HeldError
	switch {
	case errors.As(err, &held):
		return 0, stet.WrapError(err, stet.CodeUnavailable, "%s is being made by %s. Nothing changed. Name another file, or try again when that has ended.", c.Output, held.Holder)
	case err != nil:
		return 0, err
	}
	defer func() { _ = lock.Discard() }()
	f, err := temp.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Remove()
	if changes, err = a.export(ctx, s, f.File()); err == nil {
		_, err = f.Install(true)
	}
	return changes, err
}

func (a *app) export(ctx context.Context, s *stet.Store, w io.Writer) (int, error) {
	tail, err := s.Tail(ctx)
	if err != nil {
		return 0, err
	}
	bar := a.bar(int64(tail.Revision), "exporting")
	defer bar.done()
	return transfer.Export(ctx, s, w, func(revision, _ uint64) { bar.set(int64(revision)) })
}
