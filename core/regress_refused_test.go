package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/memory"
)

// A refusal that rests on the state is final whatever its code: when the request
// comes again, and the state would allow it now, it is refused all the same.
func TestRefusedForALimitComesAgain(t *testing.T) {
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := s.Backend().(*core.Core)
	full := stet.Commit{}
	for i := range stet.MaxOps {
		full.Ops = append(full.Ops, stet.Op{SetLabel: &stet.SetLabel{PromptID: "p", Label: fmt.Sprintf("l%d", i), Version: "1.0.0"}})
	}
	commit(t, c, saving("p", "x"))
	commit(t, c, full.Ops...)
	again := stet.Commit{ID: "once", Ops: []stet.Op{{SetLabel: &stet.SetLabel{PromptID: "p", Label: "more", Version: "1.0.0"}}}}
	if _, err := c.Commit(t.Context(), again); stet.CodeOf(err) != stet.CodeTooLarge {
		t.Fatalf("one label too many gives %v", err)
	}
	commit(t, c, stet.Op{Clear: &stet.Clear{}})
	commit(t, c, saving("p", "x"))
	if done, err := c.Commit(t.Context(), again); stet.CodeOf(err) != stet.CodeTooLarge {
		t.Errorf("sent again it gives %v, revision %d", err, done.Revision)
	}
}

// No page holds more than its bound, whatever it is that makes it large.
func TestPagesAreBounded(t *testing.T) {
	s, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := s.Backend().(*core.Core)
	message := strings.Repeat("m", 60<<10)
	const moves = 300 // 18 MB of messages
	for i := range moves {
		_, err := c.Commit(t.Context(), stet.Commit{Message: message, Ops: []stet.Op{{Save: &stet.Draft{
			PromptID: "p", Text: fmt.Sprint(i), Bump: "patch", Labels: []string{"production"}, Metadata: []byte(`{"m":"` + message + `"}`),
		}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	const most = stet.MaxPageBytes + 1<<20
	changes, seen := 0, 0
	for since := uint64(0); since < moves; {
		page, err := c.ChangesPage(t.Context(), since, stet.ChangesOptions{Limit: stet.MaxLimit, Texts: true})
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("after %d: %d changes, %v", since, len(page.Items), err)
		}
		if n := len(page.Items) * 3 * len(message); n > most { // in the log, in the version, and its metadata
			t.Errorf("a page of changes has some %d bytes", n)
		}
		since = page.Items[len(page.Items)-1].Revision
		changes += len(page.Items)
	}
	for cursor := ""; ; {
		page, err := c.History(t.Context(), "p", "", stet.HistoryOptions{Limit: stet.MaxLimit, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(page.Items) * len(message); n > most {
			t.Errorf("a page of moves has %d bytes", n)
		}
		seen += len(page.Items)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if changes != moves || seen != moves {
		t.Errorf("the pages have %d changes and %d moves together, and should have %d", changes, seen, moves)
	}
}
