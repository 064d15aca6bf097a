package core_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
)

// A time that rotted in the log is damage for a read that looks at it, and never leads
// it to the text of another version. Fails at 0eb81fd.
func TestReadAtATimeThatRotted(t *testing.T) {
	h := newHook()
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	n := 0
	c := start(t, h, core.Options{Now: func() time.Time { n++; return noon.Add(time.Duration(n) * time.Minute) }})
	var texts []string
	for i := range 9 {
		texts = append(texts, fmt.Sprint("text ", i))
		commit(t, c, saving("a", texts[i]))
	}
	s := stet.New(c)
	page, err := s.ChangesPage(t.Context(), 0, stet.ChangesOptions{})
	if err != nil || len(page.Items) != 9 {
		t.Fatal(len(page.Items), err)
	}
	refused := 0
	for rotten := uint64(1); rotten <= 9; rotten++ {
		for _, year := range []string{"1026", "3026"} {
			h.read = func(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
				entries, err := h.Log.Read(ctx, after, limit)
				entries = slices.Clone(entries) // they are the log's
				for i := range entries {
					if e := &entries[i]; e.Revision == rotten {
						e.Data = bytes.Replace(e.Data, []byte(`"time":"2026`), []byte(`"time":"`+year), 1)
					}
				}
				return entries, err
			}
			for i, ch := range page.Items {
				v, err := s.Get(t.Context(), "a@latest", stet.ReadOptions{At: stet.Point{Time: ch.Time}})
				switch {
				case stet.CodeOf(err) == stet.CodeInternal:
					refused++
				case err != nil || v.Text() != texts[i]:
					t.Errorf("year %s at revision %d: at the time of revision %d: %q, %v; want %q", year, rotten, i+1, v.Text(), err, texts[i])
				}
			}
		}
	}
	if refused == 0 {
		t.Error("no read met the damage")
	}
}
