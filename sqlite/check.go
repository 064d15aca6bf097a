package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

// maxProblems is the most problems of one kind that Check lists.
const maxProblems = 100

// Check implements driver.Checker. SQLite examines every page of the file, and the
// tables are compared with each other. Core checks what the entries and bodies contain.
func (l *Log) Check(ctx context.Context) (problems []string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.ctx, func() { cancel(errClosed) })()

	if s := l.stopped.Load(); s != nil {
		problems = append(problems, s.message)
	}
	err = l.readFrom(ctx, l.jobs, func(c *conn) error {
		return c.query(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", maxProblems), func(row []sqldriver.Value) error {
			if s, _ := row[0].(string); s != "ok" {
				problems = append(problems, "SQLite reports: "+s)
			}
			return nil
		})
	})
	if err == nil {
		err = l.readFrom(ctx, l.jobs, func(c *conn) error { return checkTables(ctx, c, &problems) })
	}
	switch {
	case ctx.Err() != nil:
		return problems, context.Cause(ctx)
	case storageFailed(err) && !transient(err):
		return append(problems, fmt.Sprintf("the file cannot be read to its end: %s", describe(err))), nil
	}
	return problems, err
}

// checks are queries. Each row of an answer is a problem.
var checks = []struct{ query, problem string }{
	{"SELECT n, tail FROM (SELECT count(*) AS n, coalesce(max(revision), 0) AS tail FROM commits) WHERE n <> tail",
		"the log has %v rows and ends at revision %v"},
	{"SELECT DISTINCT key / 1024, key % 1024 FROM bodies WHERE key / 1024 > (SELECT coalesce(max(revision), 0) FROM commits) LIMIT 100",
		"there is a body of revision %v, operation %v, which the log does not have"},
	{"SELECT prompt_id || ' ' || label, revision FROM labels WHERE revision > (SELECT coalesce(max(revision), 0) FROM commits) LIMIT 100",
		"label %v was set at revision %v, which the log does not have"},
}

func checkTables(ctx context.Context, c *conn, problems *[]string) error {
	for _, check := range checks {
		err := c.query(ctx, check.query, func(row []sqldriver.Value) error {
			*problems = append(*problems, fmt.Sprintf(check.problem, row[0], row[1]))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Aside implements driver.Checker. It reads with the connections for jobs.
func (l *Log) Aside() driver.Reader { return jobReader{l} }

type jobReader struct{ log *Log }

func (a jobReader) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	return a.log.entries(ctx, a.log.jobs, after, limit)
}

func (a jobReader) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	return a.log.body(ctx, a.log.jobs, ref)
}
