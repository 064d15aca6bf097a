package sqlite

import (
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/stet-dev/stet"
)

// applicationID marks a stet store, in the header of the file: "stet".
const applicationID = 0x73746574

//go:embed schema/*.sql
var schemaFiles embed.FS

// schema has the steps of the schema: the one at n-1 turns a store of version n-1 into one
// of version n. Version 0 is an empty file. The version is SQLite's user_version. A step
// that was released is never changed.
var schema = func() []string {
	names, err := fs.Glob(schemaFiles, "schema/*.sql") // sorted
	if err != nil {
		panic(err) // the pattern is wrong
	}
	steps := make([]string, len(names))
	for i, name := range names {
		data, err := schemaFiles.ReadFile(name)
		if err != nil || filepath.Base(name) != fmt.Sprintf("%04d.sql", i+1) {
			panic(fmt.Sprintf("%s is not step %d of the schema: %v", name, i+1, err))
		}
		steps[i] = string(data)
	}
	return steps
}()

// version returns the version of a store's schema. It fails if the file is not a store, or
// has a newer version than the steps. It only reads.
func version(c *conn, path string, steps []string) (int, error) {
	id, err := c.integer("PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	v, err := c.integer("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	name := filepath.Base(path)
	switch {
	case id != applicationID:
		return 0, stet.Errorf(stet.CodeInvalid, "%s is not a stet store: it is an SQLite file of another application. It was left as it is. Name another file.", name)
	case v > int64(len(steps)):
		return 0, stet.Errorf(stet.CodeInvalid, "%s was written by a newer stet: its format has version %d, and this stet knows versions up to %d. It was left as it is. Update stet.", name, v, len(steps))
	case v < 1:
		return 0, damaged(nil, path, fmt.Sprintf("its format has version %d", v))
	}
	return int(v), nil
}

// migrate runs the steps after version from in one transaction: if it fails, the file is
// as it was. finish, if not nil, runs before the commit.
func migrate(c *conn, from int, steps []string, finish func() error) (err error) {
	if from == len(steps) {
		return nil
	}
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = c.script("ROLLBACK") // fails if SQLite has rolled back by itself
		}
	}()
	for _, step := range steps[from:] {
		if err := c.script(step); err != nil {
			return err
		}
	}
	if err := c.script(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))); err != nil {
		return err
	}
	if finish != nil {
		if err := finish(); err != nil {
			return err
		}
	}
	return c.script("COMMIT")
}
