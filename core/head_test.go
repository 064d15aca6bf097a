package core_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/memory"
)

func moving(id, label, version string) stet.Op {
	return stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: label, Version: version}}
}

// withLabels saves two versions of "a" and sets n labels on the first.
func withLabels(t *testing.T, c *core.Core, n int) {
	t.Helper()
	commit(t, c, saving("a", "first"))
	commit(t, c, saving("a", "second"))
	var ops []stet.Op
	for i := range n {
		ops = append(ops, moving("a", fmt.Sprintf("l%d", i), "#1"))
	}
	commit(t, c, ops...)
}

// A label's move costs about the same whether the prompt has 10 labels or 1,000: it does
// not copy them.
func TestMovesDoNotCopyTheLabels(t *testing.T) {
	perMove := func(labels int) uint64 {
		c := start(t, memory.New(), core.Options{})
		withLabels(t, c, labels)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const moves = 500
		for i := range moves {
			commit(t, c, moving("a", "l5", fmt.Sprintf("#%d", 2-i%2)))
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / moves
	}
	few, many := perMove(10), perMove(1000)
	if many > 3*few {
		t.Errorf("a move takes %d bytes with 1,000 labels and %d with 10", many, few)
	}
}

// What a checkpoint has of a label's move is a few bytes, however long its message.
func TestMovesAreSmallInACheckpoint(t *testing.T) {
	k := &kept{Log: memory.New(), chunks: make(map[string][]byte)}
	c := reopen(t, k, -1)
	withLabels(t, c, 1)
	const moves = 300
	for i := range moves {
		if _, err := c.Commit(t.Context(), stet.Commit{
			Author: "ana", Message: fmt.Sprint(i) + strings.Repeat("m", 60<<10), Ops: []stet.Op{moving("a", "l0", fmt.Sprintf("#%d", 2-i%2))},
		}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := c.History(t.Context(), "a", "l0", stet.HistoryOptions{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, data := range k.chunks {
		size += len(data)
	}
	if size > moves*64 {
		t.Errorf("the checkpoint has %d bytes for %d moves", size, moves)
	}
	c = reopen(t, k, -1)
	defer c.Close()
	sound(t, c)
	after, err := c.History(t.Context(), "a", "l0", stet.HistoryOptions{Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(after.Items) != fmt.Sprint(before.Items) || !strings.HasPrefix(after.Items[0].Message, "299mm") {
		t.Errorf("the history is %.200v, and was %.200v", after.Items, before.Items)
	}
}

// A checkpoint is due by the work that opening would have, not by the number of commits:
// 60 commits of 1,000 moves are not all carried out again after a kill.
func TestCheckpointIsDueByWork(t *testing.T) {
	k := &kept{Log: memory.New(), chunks: make(map[string][]byte)}
	c := reopen(t, k, 0)
	defer c.Close()
	withLabels(t, c, 1)
	const commits = 60
	for i := range commits {
		ops := make([]stet.Op, stet.MaxOps)
		for j := range ops {
			ops[j] = moving("a", "l0", fmt.Sprintf("#%d", 2-j%2))
		}
		ops[0].SetLabel.Label = fmt.Sprintf("l%d", i)
		commit(t, c, ops...)
	}
	c = reopen(t, k, 0) // the first one was not closed
	defer c.Close()
	if k.read > commits/4+2 {
		t.Errorf("opening read %d entries of %d", k.read, commits+3)
	}
	sound(t, c)
}
