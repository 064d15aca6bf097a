package scale

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // as a person's SQLite reads the file, not as stet does
)

// fileOf returns the file of a store that has one.
func fileOf(address string) (string, bool) {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return path, true
	}
	return address, strings.HasSuffix(address, ".db")
}

// fileSize is the size of a store's file and of what lies beside it.
func fileSize(path string) int64 {
	var n int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}

// anatomy reads how much text a file holds and how large its tables are. The store
// must be closed.
func anatomy(ctx context.Context, path string) (raw int64, tables []Table, err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro")
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT coalesce(sum(octet_length(text)), 0) FROM bodies").Scan(&raw); err != nil {
		return 0, nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT name, pgsize, unused FROM dbstat WHERE aggregate = TRUE")
	if err != nil {
		return raw, nil, nil // an SQLite that was built without it
	}
	defer rows.Close()
	for rows.Next() {
		var t Table
		if err := rows.Scan(&t.Name, &t.Bytes, &t.Unused); err != nil {
			return 0, nil, err
		}
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b Table) int { return int(b.Bytes - a.Bytes) })
	return raw, tables, rows.Err()
}

// headColumns are what a head has of each version, as far as they are columns: the
// digest is inside the log's JSON. That makes the peer faster, and the comparison
// harder.
const headColumns = "SELECT prompt_id, version, ordinal, key / 1024, key % 1024 FROM bodies"

// errNoPeer: the sqlite3 command line is not here.
var errNoPeer = errors.New("sqlite3, the command line, is not installed: what opening is held against was not measured. Install it (apt-get install sqlite3)")

// printHeads times how long sqlite3 takes to print the head columns to nowhere.
func printHeads(ctx context.Context, path string) (time.Duration, error) {
	bin, err := exec.LookPath("sqlite3")
	if err != nil {
		return 0, errNoPeer
	}
	c := exec.CommandContext(ctx, bin, "-readonly", path, headColumns)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	var said strings.Builder
	c.Stdout, c.Stderr = null, &said
	start := time.Now()
	if err := c.Run(); err != nil {
		return 0, fmt.Errorf("sqlite3: %w: %s", err, said.String())
	}
	return time.Since(start), nil
}

// copyFile copies a file and waits until the disk has it, so that what is measured
// next does not wait for that.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
