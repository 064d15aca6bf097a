package core_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

// kept is a log in memory that keeps checkpoints and survives its closing, with
// everything that reopening reads counted.
type kept struct {
	*memory.Log
	revision uint64
	chunks   map[string][]byte
	read     int // entries
}

func (k *kept) Close() error { return nil }

func (k *kept) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	entries, err := k.Log.Read(ctx, after, limit)
	k.read += len(entries)
	return entries, err
}

func (k *kept) SaveCheckpoint(_ context.Context, revision uint64, reset bool, chunks []driver.Chunk) error {
	if reset {
		clear(k.chunks)
	}
	for _, ch := range chunks {
		switch {
		case len(ch.Data) > driver.MaxChunk:
			return fmt.Errorf("chunk %q has %d bytes", ch.Key, len(ch.Data))
		case ch.Data == nil:
			delete(k.chunks, ch.Key)
		default:
			k.chunks[ch.Key] = slices.Clone(ch.Data)
		}
	}
	k.revision = revision
	return nil
}

func (k *kept) LoadCheckpoint(_ context.Context, chunk func(driver.Chunk) error) (uint64, error) {
	for _, key := range slices.Sorted(maps.Keys(k.chunks)) {
		if err := chunk(driver.Chunk{Key: key, Data: slices.Clone(k.chunks[key])}); err != nil {
			return 0, err
		}
	}
	return k.revision, nil
}

func reopen(t *testing.T, k *kept, every int) *core.Core {
	t.Helper()
	k.read = 0
	s, err := core.Open(t.Context(), k, &core.Options{CheckpointEvery: every})
	if err != nil {
		t.Fatal(err)
	}
	return s.Backend().(*core.Core)
}

func sound(t *testing.T, c *core.Core) {
	t.Helper()
	r, err := c.Verify(t.Context(), stet.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("the store is not sound: %v", r.Problems)
	}
}

func commit(t *testing.T, c *core.Core, ops ...stet.Op) {
	t.Helper()
	if _, err := c.Commit(t.Context(), stet.Commit{Author: "ana", Message: "because", Ops: ops}); err != nil {
		t.Fatal(err)
	}
}

// TestCheckpoint opens a store from checkpoints made at random points, and holds
// the heads against those that the log leads to: Verify builds them anew.
func TestCheckpoint(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	k := &kept{Log: memory.New(), chunks: make(map[string][]byte)}
	ids := []string{"a", "a b", "a/b", "a/b/c", "b", "long"}
	for round := range 12 {
		c := reopen(t, k, []int{-1, 7, 300}[rng.IntN(3)])
		if round > 0 && k.read > 1 {
			t.Fatalf("opening read %d entries although a checkpoint was made at closing", k.read)
		}
		sound(t, c)
		for range 300 {
			id := ids[rng.IntN(len(ids))]
			if rng.IntN(3) > 0 {
				id = "long"
			}
			switch n := rng.IntN(1000); {
			case n < 2:
				commit(t, c, stet.Op{Clear: &stet.Clear{}})
			case n < 30:
				if v, err := c.Get(t.Context(), id, fmt.Sprintf("#%d", 1+rng.IntN(600))); err == nil {
					commit(t, c, stet.Op{Delete: &stet.Delete{PromptID: id, Version: v.Number().String(), Force: true}})
				}
			case n < 34:
				commit(t, c, stet.Op{Delete: &stet.Delete{PromptID: id, Force: true}})
			case n < 120:
				if _, err := c.Head(t.Context(), id, stet.ReadOptions{}); err == nil {
					commit(t, c, stet.Op{SetLabel: &stet.SetLabel{PromptID: id, Label: string(rune('a' + rng.IntN(20))), Version: "latest"}})
				}
			default:
				d := &stet.Draft{PromptID: id, Text: fmt.Sprint("text ", n), Bump: "patch"}
				if rng.IntN(10) == 0 {
					d.Bump, d.Version = "", fmt.Sprintf("9.%d.%d-rc.1", c.Revision(), n)
				}
				commit(t, c, stet.Op{Save: d})
			}
		}
		sound(t, c)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCheckpointDamaged flips bits of checkpoints and takes chunks away: the log
// is read instead, and nothing is lost.
func TestCheckpointDamaged(t *testing.T) {
	k := &kept{Log: memory.New(), chunks: make(map[string][]byte)}
	c := reopen(t, k, -1)
	for i := range 600 {
		commit(t, c, stet.Op{Save: &stet.Draft{PromptID: "p", Text: fmt.Sprint(i), Bump: "patch", Labels: []string{"l"}}})
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	whole := maps.Clone(k.chunks)
	for key := range whole {
		for _, damage := range []func(){
			func() { delete(k.chunks, key) },
			func() { k.chunks[key] = slices.Clone(whole[key]); k.chunks[key][len(whole[key])/2] ^= 4 },
			func() { k.chunks[key] = whole[key][:len(whole[key])-1] },
			func() { k.chunks[key+"x"] = whole[key] },
		} {
			k.chunks = maps.Clone(whole)
			damage()
			c := reopen(t, k, -1)
			if k.read < 600 && key != "" {
				t.Errorf("damage to chunk %q was not noticed", key)
			}
			sound(t, c)
			k.revision = 600
			k.chunks = maps.Clone(whole)
			c.Close()
		}
	}
}

// TestCheckpointOfAnotherLog gives a log the checkpoint of one that has come to
// the same revision.
func TestCheckpointOfAnotherLog(t *testing.T) {
	var logs [2]*kept
	for i := range logs {
		logs[i] = &kept{Log: memory.New(), chunks: make(map[string][]byte)}
		c := reopen(t, logs[i], -1)
		commit(t, c, stet.Op{Save: &stet.Draft{PromptID: fmt.Sprint("p", i), Text: "text"}})
		c.Close()
	}
	logs[0].chunks = logs[1].chunks
	c := reopen(t, logs[0], -1)
	defer c.Close()
	sound(t, c)
	if _, err := c.Head(t.Context(), "p0", stet.ReadOptions{}); err != nil {
		t.Error(err)
	}
}
