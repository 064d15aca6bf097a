// Package peers measures stet beside its peers, in the same run, and makes one table
// of ratios.
//
// Absolute figures change from machine to machine, and on a shared machine from
// minute to minute; ratios hold longer. So each row has two sides, stet's and a
// peer's, that are run in turn, A B A B, over several rounds. The ratio is that of
// the two medians; beside it stand the least and the greatest ratio of one round.
package peers

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/stet-dev/stet"
)

// The lap of a row in memory: long enough for some garbage collections, short
// enough that a neighbour on the machine disturbs both sides of a round alike.
const (
	fullLap  = 200 * time.Millisecond
	shortLap = 40 * time.Millisecond
)

// The rounds by default. Odd, so that the median is a lap that happened.
const (
	fullRounds  = 5
	shortRounds = 3
)

// Options say what is measured. The zero value measures everything but the service.
type Options struct {
	HTTP     bool           // the service: the server, its streams and its client
	Only     *regexp.Regexp // the rows whose name or peer it matches; nil for all
	Short    bool           // short laps and few rounds: a glance, not a result
	Rounds   int            // 0 for what is usual
	Dir      string         // for data files, on a real disk; "" for a temporary directory
	Profiles string         // a directory for profiles of the processor time, "" for none
	// Progress, if not nil, is called with what is being done; it formats as
	// fmt.Sprintf does.
	Progress func(format string, args ...any)
}

// RoundsOrDefault is how many rounds there are.
func (o Options) RoundsOrDefault() int {
	switch {
	case o.Rounds > 0:
		return o.Rounds
	case o.Short:
		return shortRounds
	}
	return fullRounds
}

// rows returns the rows that are measured, in the table's order.
func (o Options) rows() []measure {
	var all []measure
	if o.HTTP {
		all = overHTTP()
	} else {
		all = slices.Concat(memoryGets(), memorySaves(), python(), sqlites(), besides())
	}
	return slices.DeleteFunc(all, func(m measure) bool {
		return o.Only != nil && !o.Only.MatchString(m.name+" "+m.peer)
	})
}

// List writes the rows and their targets without measuring.
func List(w io.Writer, o Options) error {
	for _, m := range o.rows() {
		if _, err := fmt.Fprintf(w, "%s: %s × %s\n", m.name, m.goal(), m.peer); err != nil {
			return err
		}
	}
	return nil
}

// Run measures the rows one after another. It stops at the first failure, and
// returns what was measured before beside it: that is still worth showing.
func Run(ctx context.Context, o Options) (t Table, err error) {
	t.plan = plan{rounds: o.RoundsOrDefault(), lap: fullLap, dir: o.Dir, profiles: o.Profiles}
	if o.Short {
		t.plan.lap = shortLap
	}
	rows := o.rows()
	if len(rows) == 0 {
		return t, stet.Errorf(stet.CodeInvalid, "no row matches %q: -list lists them.", o.Only)
	}
	if o.Profiles != "" {
		stop, err := profile(filepath.Join(o.Profiles, "generator.pprof"))
		if err != nil {
			return t, err
		}
		defer stop()
	}
	if o.Dir == "" {
		if t.plan.dir, err = os.MkdirTemp("", "stet-bench-"); err != nil {
			return t, err
		}
		defer os.RemoveAll(t.plan.dir)
	} else if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return t, err
	}
	for i, m := range rows {
		r, err := m.run(ctx, t.plan, func(round int) {
			if o.Progress != nil {
				o.Progress("[%d/%d] %s: round %d of %d", i+1, len(rows), m.name, round, t.plan.rounds)
			}
		})
		if err != nil {
			return t, fmt.Errorf("%s: %w", m.name, err)
		}
		t.results = append(t.results, r)
	}
	return t, nil
}
