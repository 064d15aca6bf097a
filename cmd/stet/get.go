package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

type getCmd struct {
	Ref string `arg:"" name:"ID[@SELECTOR]" help:"The version."`
	past
}

func (*getCmd) Help() string {
	return `Examples:

    stet get support/triage                # current: production, or else latest
    stet get support/triage@staging > triage.txt
    stet get support/triage@^1.2
    stet get support/triage --at 3d        # as it was three days ago
    stet get support/triage@1.2.0 --json

In a pipe or file the text is what was saved, byte for byte. On a terminal control
and bidirectional characters are made visible. A chat is printed as its messages.`
}

func (c *getCmd) Run(a *app) error {
	at, err := c.point()
	if err != nil {
		return err
	}
	return a.read(func(ctx context.Context, s *stet.Store) error {
		v, err := s.Get(ctx, c.Ref, stet.ReadOptions{At: at})
		if err != nil {
			return err
		}
		if a.flags.JSON {
			return a.out.JSON(v.AppendJSON(nil))
		}
		return a.content(v.Type(), v.Text(), v.Content().Messages())
	})
}

// content prints a text, or messages: as they are for a program, indented for a
// person.
func (a *app) content(kind, text, messages string) error {
	if kind != content.TypeChat {
		return a.out.Text(text)
	}
	if !a.out.TTY {
		return a.out.JSON([]byte(messages))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(messages), "", "  "); err != nil {
		return err
	}
	return a.out.JSON(b.Bytes())
}

// past has the flags of the verbs that can read the store as it was.
type past struct {
	At string `placeholder:"T" help:"Read the store as it was: at a revision (812), a time (2026-11-23, 2026-11-23T15:04:05Z), or some time ago (90m, 3d, 2w)."`
}

var spans = regexp.MustCompile(`^(\d{1,6})([smhdw])$`)

// span parses a length of time: 90m, 12h, 3d, 2w. None is longer than 292 years.
func span(s string) (d time.Duration, ok bool) {
	m := spans.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	return time.Duration(min(n, int64(math.MaxInt64/unit))) * unit, true
}

// point parses the flag.
func (p past) point() (at stet.Point, err error) {
	if p.At == "" {
		return at, nil
	}
	if n, err := strconv.ParseUint(p.At, 10, 64); err == nil && n > 0 {
		at.Revision = n
		return at, nil
	}
	if d, ok := span(p.At); ok {
		at.Time = time.Now().Add(-d)
		return at, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, p.At, time.Local); err == nil {
			at.Time = t
			return at, nil
		}
	}
	return at, stet.Errorf(stet.CodeInvalid, "%q is neither a revision nor a time. Write 812, 2026-11-23, 2026-11-23T15:04:05Z, or how long ago: 90m, 3d, 2w.", p.At)
}
