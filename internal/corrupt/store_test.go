package corrupt

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/sqlite"
)

// epochTime is the first moment of the store's clock.
var epochTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// prompts is how many there are, and one more is asked for that there is not.
const prompts = 6

func id(i int) string { return fmt.Sprintf("team/prompt-%d", i) }

// build makes a closed store with some of everything, the same each time, and
// returns its file.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stet.db")
	rnd := rand.New(rand.NewPCG(20260102, 0))
	var s *stet.Store
	ticks := 0
	options := core.Options{CheckpointEvery: 100, Now: func() time.Time {
		ticks++
		return epochTime.Add(time.Duration(ticks) * time.Second)
	}}
	open := func() {
		var err error
		if s, err = sqlite.Open(t.Context(), path, &sqlite.Options{Options: options}); err != nil {
			t.Fatal(err)
		}
	}
	commits := 0
	commit := func(ops ...stet.Op) {
		commits++
		_, err := s.Commit(t.Context(), stet.Commit{ID: fmt.Sprintf("commit-%d", commits), Author: "ana", Message: fmt.Sprint("step ", commits), Ops: ops})
		if c := stet.CodeOf(err); c != "" && c != stet.CodeConflict && c != stet.CodeNotFound {
			t.Fatal(err)
		}
	}
	open()
	for i := range 20 {
		commit(some(rnd, i))
	}
	commit(stet.Op{Clear: &stet.Clear{}}, stet.Op{Save: draft(rnd, 0)})
	for i := range 280 {
		if i == 200 { // what is after this is in another checkpoint
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			open()
		}
		commit(some(rnd, i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func some(rnd *rand.Rand, i int) stet.Op {
	p := id(rnd.IntN(prompts))
	label := []string{"production", "staging", "canary"}[rnd.IntN(3)]
	switch n := rnd.IntN(20); {
	case n < 14:
		return stet.Op{Save: draft(rnd, i)}
	case n < 16:
		return stet.Op{SetLabel: &stet.SetLabel{PromptID: p, Label: label, Version: fmt.Sprintf("#%d", 1+rnd.IntN(20))}}
	case n < 17:
		return stet.Op{Rollback: &stet.Rollback{PromptID: p, Label: label}}
	case n < 18:
		return stet.Op{RemoveLabel: &stet.RemoveLabel{PromptID: p, Label: label}}
	}
	return stet.Op{Delete: &stet.Delete{PromptID: p, Version: fmt.Sprintf("1.%d.0", rnd.IntN(12)), Force: true}}
}

// draft makes a draft; some texts fill pages of their own.
func draft(rnd *rand.Rand, i int) *stet.Draft {
	d := &stet.Draft{
		PromptID: id(rnd.IntN(prompts)), Author: "ana", Message: fmt.Sprint("draft ", i),
		Bump: []stet.Bump{"auto", "major", "minor", "patch"}[rnd.IntN(4)],
		Text: strings.Repeat(fmt.Sprintf("Say what %d is to {{who%d}}. ", rnd.IntN(1000), rnd.IntN(3)), 1+rnd.IntN(40)),
	}
	switch rnd.IntN(12) {
	case 0:
		d.Text = strings.Repeat(d.Text, 30)
	case 1:
		d.Text, d.Messages = "", json.RawMessage(fmt.Sprintf(`[{"role":"user","content":"Number %d"}]`, rnd.IntN(1000)))
	case 2:
		d.Metadata = json.RawMessage(fmt.Sprintf(`{"score":%d}`, rnd.IntN(100)))
	case 3:
		d.Config = json.RawMessage(fmt.Sprintf(`{"temperature":%d}`, rnd.IntN(3)))
	}
	if rnd.IntN(6) == 0 {
		d.Labels = []string{"production"}
	}
	return d
}
