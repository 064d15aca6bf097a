package peers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Sizes of texts. A kilobyte is what the targets for a disk are about; a short text
// keeps a history of 100,000 versions in memory to what stet makes of it.
const (
	kilobyte  = 1024
	shortText = 64
)

// maxOps is the most operations that a commit may have.
const maxOps = 1000

// letters is what texts are cut from: random, so that no peer gains by compressing.
var letters = func() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 1<<20)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n"[r.IntN(64)]
	}
	return b
}()

// text returns the n-th text of the size: no two of one worker are equal, and each
// has one variable, as a prompt has. Both sides of a row call it as often.
func text(worker, n, size int) string {
	return string(value(worker, n, size))
}

// value is text for a peer that wants bytes.
func value(worker, n, size int) []byte {
	b := make([]byte, 0, size)
	b = strconv.AppendInt(b, int64(worker), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, " {{input}} "...)
	at := (worker*7919 + n*127) % (len(letters) - size)
	return append(b, letters[at:at+size-len(b)]...)
}

// promptIDs returns n ids of ordinary length.
func promptIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("support/team-%02d/prompt-%05d", i%64, i)
	}
	return ids
}

// refs returns the ids with a selector.
func refs(ids []string, selector string) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id + "@" + selector
	}
	return all
}

// A fill is a content to begin with: versions 1.0.0, 1.1.0 … of each prompt, or
// whatever number says.
type fill struct {
	ids      []string
	versions int
	size     int // of a text
	number   func(i int) string
}

// minor is the number of the i-th version where the order is that of saving.
func minor(i int) string { return fmt.Sprintf("1.%d.0", i) }

// into saves the versions in large commits, and then puts production and staging on
// the version saved in the middle: a label is rarely on the newest.
func (f fill) into(ctx context.Context, s store) error {
	number := f.number
	if number == nil {
		number = minor
	}
	var drafts []draft
	var moves []move
	flush := func() error {
		if len(drafts)+len(moves) == 0 {
			return nil
		}
		err := s.commit(ctx, drafts, moves)
		drafts, moves = drafts[:0], moves[:0]
		return err
	}
	for p, id := range f.ids {
		for i := range f.versions {
			drafts = append(drafts, draft{id: id, number: number(i), text: text(p, i, f.size)})
			if len(drafts) == maxOps {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	for _, id := range f.ids {
		for _, label := range []string{"production", "staging"} {
			moves = append(moves, move{id: id, label: label, number: number(f.versions / 2)})
		}
		if len(moves) >= maxOps {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
