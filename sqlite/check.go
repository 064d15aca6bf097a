package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"

	"github.com/stet-dev/stet/driver"
)

// mostProblems is how many problems Check lists of each kind.
const mostProblems = 100

// Check implements driver.Checker: SQLite examines every page of the file, and the
// places where the tables must fit each other are looked at. What the entries and
// bodies say is core's to check.
func (l *Log) Check(ctx context.Context) (problems []string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(l.ctx, func() { cancel(errClosed) })()

	if s := l.stopped.Load(); s != nil {
		problems = append(problems, s.message)
	}
	err = l.readWith(ctx, l.jobs, func(c *conn) error {
		return c.query(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", mostProblems), func(row []sqldriver.Value) error {
			if s, _ := row[0].(string); s != "ok" {
				problems = append(problems, "SQLite says of the file: "+s)
			}
			return nil
		})
	})
	if err == nil {
		err = l.readWith(ctx, l.jobs, func(c *conn) error { return checkTables(ctx, c, &problems) })
	}
	switch {
	case ctx.Err() != nil:
		return problems, context.Cause(ctx)
	case untrusted(err) && !passing(err):
		return append(problems, fmt.Sprintf("the file cannot be read through: %s", inWords(err))), nil
	}
	return problems, err
}

// checks are queries whose answers are problems.
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

// Aside implements driver.Checker: what a check reads, with the connections of the jobs.
func (l *Log) Aside() driver.Reader { return aside{l} }

type aside struct{ log *Log }

func (a aside) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	return a.log.entries(ctx, a.log.jobs, after, limit)
}

func (a aside) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	return a.log.body(ctx, a.log.jobs, ref)
}
