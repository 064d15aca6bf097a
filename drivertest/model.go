package drivertest

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// A model is the store as docs/guarantees.md tells it, in the simplest code that
// says it: lists that are searched from end to end, and a copy for each change.
// It shares the leaf packages that parse and compare with core, and nothing else.
//
// A model is a value: do returns the next one and leaves it as it is.
type model struct {
	revision uint64
	cleared  uint64 // revision of the last clear
	prompts  map[string]*modelPrompt
	known    *modelKnown // the commits with an id, the last first
	before   *model      // after the commit before; nil where the past is not kept
	entry    *modelEntry // that commit, as the log has it
	log      uint64      // hash of the commits up to it
	forgets  bool        // keep no past: the model is of one prompt among others
	print    uint64      // see fingerprint
}

type modelPrompt struct {
	id       string
	revision uint64
	saved    []*modelVersion // ordinal i+1 at i, deleted ones too
	labels   map[string][]modelMove
}

type modelVersion struct {
	number   stet.Number
	ordinal  int
	revision uint64
	deleted  uint64 // the revision, 0 while it lives
	content  content.Content
	draft    *stet.Draft
	author   string
	message  string
	metadata string
}

type modelMove struct {
	revision        uint64
	from, to        stet.Number
	author, message string
}

// modelEntry is a commit as Changes has it.
type modelEntry struct {
	commit  *stet.Commit
	results []modelResult
}

// modelKnown is what became of a commit with an id.
type modelKnown struct {
	id     string
	asked  string // the operations
	answer Answer
	result []modelResult
	next   *modelKnown
	prints uint64 // of this and those after it, in whatever order
}

// modelResult is what one operation did.
type modelResult struct {
	line  string // of a Result
	saved *modelVersion
	id    string
	bump  string
	same  bool // unchanged
	gone  int
	label string
}

func newModel() *model {
	return &model{prompts: map[string]*modelPrompt{}}
}

// reopened is the model of a store that was closed and opened again: it has
// forgotten what it refused.
func (m *model) reopened() *model {
	n := *m
	n.known, n.print = nil, 0
	for k := m.known; k != nil; k = k.next {
		if k.answer.Code == "" {
			n.remember(*k)
		}
	}
	return &n
}

// A modelTx is a model in the middle of a commit.
type modelTx struct {
	model
	commit  *stet.Commit
	results []modelResult
}

// commit carries out a commit.
func (m *model) doCommit(c *stet.Commit) (*model, Answer, []modelResult) {
	for i := range c.Ops {
		if err := malformed(&c.Ops[i]); err != nil {
			return m, refusedAt(err, i), nil
		}
	}
	if len(c.Ops) == 0 {
		return m, refusedAt(stet.Errorf(stet.CodeInvalid, "no operations"), stet.NoOp), nil
	}
	raw, _ := json.Marshal(c)
	asked := string(raw)
	if c.ID != "" {
		for k := m.known; k != nil; k = k.next {
			switch {
			case k.id != c.ID:
			case k.asked != asked:
				return m, refusedAt(stet.Errorf(stet.CodeConflict, "other operations"), stet.NoOp), nil
			default:
				a := k.answer
				a.Replayed = a.Code == ""
				return m, a, k.result
			}
		}
	}
	tx := &modelTx{model: *m, commit: c}
	tx.print = 0
	tx.prompts = maps.Clone(m.prompts)
	tx.revision++
	for i := range c.Ops {
		if err := tx.op(&c.Ops[i]); err != nil {
			a := refusedAt(err, i)
			next := m
			if c.ID != "" && (a.Code == string(stet.CodeConflict) || a.Code == string(stet.CodeNotFound)) {
				n := *m
				n.print = 0
				n.remember(modelKnown{id: c.ID, asked: asked, answer: a})
				next = &n
			}
			return next, a, nil
		}
	}
	a := Answer{Op: stet.NoOp, Revision: tx.revision}
	for _, r := range tx.results {
		a.Lines = append(a.Lines, r.line)
	}
	if !m.forgets {
		tx.before, tx.entry = m, &modelEntry{c, tx.results}
		tx.log = hashOf(fmt.Sprint(m.log, asked))
	}
	if c.ID != "" {
		tx.remember(modelKnown{id: c.ID, asked: asked, answer: a, result: tx.results})
	}
	return &tx.model, a, tx.results
}

func refusedAt(err error, op int) Answer { return Answer{Code: string(stet.CodeOf(err)), Op: op} }

func (m *model) remember(k modelKnown) {
	k.next, k.prints = m.known, hashOf(fmt.Sprint(k.id, k.asked, k.answer))^m.known.all()
	m.known = &k
}

// all is the fingerprint of a list.
func (k *modelKnown) all() uint64 {
	if k == nil {
		return 0
	}
	return k.prints
}

var hashSeed = maphash.MakeSeed()

func hashOf(s string) uint64 { return max(1, maphash.String(hashSeed, s)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
