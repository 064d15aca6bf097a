package main

import (
	"context"
	"fmt"
	"os"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet"
)

type backupCmd struct {
	File  string `arg:"" help:"The file to make."`
	Force bool   `help:"Overwrite the file if it is there."`
}

func (*backupCmd) Help() string {
	return `Examples:

    stet backup /mnt/backups/stet-2026-07-01.db
    stet backup --force nightly.db

The file appears when it is complete and has been verified. It has the state of the store
at one revision, whose hash is printed. Keep the hash elsewhere: with --expect HASH, stet
restore and stet verify find out whether a file is this backup, with nothing lost or
rewritten. A program that uses the library can make a backup while it writes (Store.Backup).
With --json: {"file","bytes","revision","hash"}.`
}

func (c *backupCmd) Run(a *app) error {
	return a.read(func(ctx context.Context, s *stet.Store) error {
		bar := a.bar(100, "backing up")
		revision, hash, err := s.Backup(ctx, c.File, stet.BackupOptions{Overwrite: c.Force, Progress: bar.part})
		bar.done()
		if err != nil {
			return err
		}
		info, err := os.Stat(c.File)
		if err != nil {
			return err
		}
		if a.flags.JSON {
			return a.json(struct {
				File     string    `json:"file"`
				Bytes    int64     `json:"bytes"`
				Revision uint64    `json:"revision"`
				Hash     stet.Hash `json:"hash"`
			}{c.File, info.Size(), revision, hash})
		}
		return a.println(fmt.Sprintf("backed up to %s (%s), which was checked: revision %d, hash %s",
			c.File, humanize.IBytes(uint64(info.Size())), revision, hash))
	})
}

// part shows the progress in a bar of 100.
func (b *bar) part(done, total uint64) { b.set(int64(100 * done / max(total, 1))) }
