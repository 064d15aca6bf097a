package main

import (
	"fmt"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/open"
	"github.com/stet-dev/stet/sqlite"
)

type restoreCmd struct {
	File   string  `arg:"" help:"A file that stet backup made."`
	Force  bool    `help:"Overwrite the store if there is one."`
	Expect *string `placeholder:"HASH" help:"A hash that backup or verify printed and that was kept elsewhere: the file must have it."`
}

func (*restoreCmd) Help() string {
	return `Examples:

    stet restore nightly.db --store sqlite:stet.db
    stet restore nightly.db --force --expect 5f0c…

The new store has everything that the backup has, and an id of its own. It refuses cursors
and feed positions of the old store, which may have other content at the same revision.
(A .db file that was copied with cp keeps the old id.) The new store is verified before it
is installed. The backup does not change.
With --json: {"store","store_id","from_store_id","revision","hash","prompts","versions"}.`
}

func (c *restoreCmd) Run(a *app) error {
	path, err := sqlitePath(a.flags.Store)
	if err != nil {
		return err
	}
	bar := a.bar(100, "restoring")
	o := sqlite.RestoreOptions{Overwrite: c.Force, Progress: bar.part}
	if !open.Served(a.ctx, path) { // a server does not end by itself
		o.Wait, o.Waiting = lockWait, a.waiting
	}
	if o.Expect, err = expected(c.Expect); err != nil {
		return err
	}
	r, err := sqlite.Restore(a.ctx, c.File, path, o)
	bar.done()
	if err != nil {
		return err
	}
	if a.flags.JSON {
		return a.json(struct {
			Store    string    `json:"store"`
			StoreID  string    `json:"store_id"`
			From     string    `json:"from_store_id"`
			Revision uint64    `json:"revision"`
			Hash     stet.Hash `json:"hash"`
			Prompts  int       `json:"prompts"`
			Versions int       `json:"versions"`
		}{path, r.StoreID, r.From, r.Report.Revision, r.Report.Hash, r.Report.Prompts, r.Report.Versions})
	}
	return a.println(fmt.Sprintf("restored to %s, which was checked: %s, %s, revision %d, hash %s",
		path, plural(r.Report.Prompts, "prompt"), plural(r.Report.Versions, "version"), r.Report.Revision, r.Report.Hash))
}

// sqlitePath returns the file of a store's address.
func sqlitePath(address string) (string, error) {
	if path, ok := open.File(address); ok {
		return path, nil
	}
	return "", stet.Errorf(stet.CodeInvalid, "a backup is restored to an SQLite file, and %s is not one. Name one: --store sqlite:PATH. To move the store elsewhere, restore it, then export and import it.", address)
}
