package drivertest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// An Event is one call of a history. Start and End are values of one counter that all
// clients share.
type Event struct {
	Client int
	Start  int64
	End    int64 // 0 if the outcome was unknown: it may still happen
	Call   *Call
	Answer Answer
}

// A History records the calls of several clients of a store, to check them for
// linearizability. A case that fails saves its history as JSON.
type History struct {
	Seed uint64
	// PerPrompt says that every call concerns one prompt, and that prompts can be
	// checked one by one.
	PerPrompt bool
	// Blind says that revisions are not compared.
	Blind bool
	// Lossy says that the engine lost answers on purpose. A commit can then be
	// replayed that was sent once.
	Lossy  bool
	Events []Event
}

// Check returns an error if the history is not linearizable.
func (h *History) Check() error { return h.check("") }

// porcupineTime bounds one check. The usual one takes milliseconds; a history that is
// not linearizable, or a machine that has other things to do, can take longer.
const porcupineTime = 2 * time.Minute

// check writes porcupine's picture of a history that fails, if a path is given.
func (h *History) check(picture string) error {
	when, err := h.timetable()
	if err != nil {
		return err
	}
	m := h.model(when)
	var last int64
	for i := range h.Events {
		last = max(last, h.Events[i].Start, h.Events[i].End)
	}
	var ops []porcupine.Operation
	for i := range h.Events {
		e := &h.Events[i]
		ops = append(ops, porcupine.Operation{
			ClientId: e.Client, Input: e.Call, Output: &e.Answer, Call: e.Start, Return: cmp.Or(e.End, last+1),
		})
	}
	result, info := porcupine.CheckOperationsVerbose(m, ops, porcupineTime)
	switch result {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("porcupine found no answer within %v for %d calls", porcupineTime, len(ops))
	}
	err = fmt.Errorf("%d calls are not linearizable: no order of them gives these answers", len(ops))
	if e := h.impossible(); e != nil {
		err = e
	}
	if picture != "" {
		err = errors.Join(err, porcupine.VisualizePath(m, info, picture))
	}
	return err
}

// impossible names an answer that is wrong in itself.
func (h *History) impossible() error {
	for i := range h.Events {
		if e := &h.Events[i]; e.Answer.Code == "internal" {
			return fmt.Errorf("%s is answered with %s", e.Call, e.Answer.Message)
		}
	}
	return nil
}

func (h *History) model(when timetable) porcupine.Model {
	m := porcupine.Model{
		Init: func() any {
			m := newModel()
			m.forgets = h.Blind
			return m
		},
		Step: func(state, input, output any) (bool, any) {
			m, c, got := state.(*model), input.(*Call), output.(*Answer)
			next, fits := m, false
			for _, c := range when.resolve(c, m.revision) { // one, as good as always
				var want Answer
				next, want = m.do(&c)
				if h.Lossy {
					want.excuse(got, &c)
				}
				fits = fits || got.differs(&want, &c, !h.Blind) == ""
			}
			switch {
			case got.Code == "unknown":
				return true, next // if it did not happen: that is after all others
			case got.Code == "unavailable":
				return true, m
			case !fits:
				return false, m
			case !h.Blind && c.Commit == nil && got.AsOf > m.revision:
				return false, m
			}
			return true, next
		},
		Equal: func(a, b any) bool { return a.(*model).fingerprint() == b.(*model).fingerprint() },
		Hash:  func(a any) uint64 { return a.(*model).fingerprint() },
		DescribeOperation: func(input, output any) string {
			a := output.(*Answer)
			return fmt.Sprintf("%s → %s %s", input, cmp.Or(a.Code, "ok"), strings.Join(a.Lines, "; "))
		},
		DescribeState: func(state any) string { return state.(*model).describe() },
	}
	if h.PerPrompt {
		m.Partition = func(all []porcupine.Operation) [][]porcupine.Operation {
			by := map[string][]porcupine.Operation{}
			for _, o := range all {
				id := o.Input.(*Call).promptID()
				by[id] = append(by[id], o)
			}
			var parts [][]porcupine.Operation
			for _, p := range by {
				parts = append(parts, p)
			}
			return parts
		}
	}
	return m
}

// promptID is the one prompt that a call concerns.
func (c *Call) promptID() string {
	if c.Commit == nil {
		id, _, _ := strings.Cut(c.Ref, "@")
		return id
	}
	return c.Commit.Ops[0].PromptID()
}

// save keeps a history that failed, with its picture, and says how to check it
// again.
func (h *History) save(why error) error {
	if *keepFlag == "" {
		return why
	}
	if err := os.MkdirAll(*keepFlag, 0o700); err != nil {
		return errors.Join(why, err)
	}
	path := filepath.Join(*keepFlag, fmt.Sprintf("history-%d.json", h.Seed))
	b, err := json.MarshalIndent(h, "", " ")
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	_ = h.check(strings.TrimSuffix(path, ".json") + ".html")
	return errors.Join(fmt.Errorf("%w\n\tsaved; check it again with: go test ./drivertest -run TestRecheck -history %s", why, path), err)
}

// ReadHistory reads a history that a failed case has saved.
func ReadHistory(path string) (*History, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h := new(History)
	return h, json.Unmarshal(b, h)
}

// fingerprint is the same for models that cannot be told apart. Where the past is
// kept, Changes tell all of it, and it makes the present.
func (m *model) fingerprint() uint64 {
	switch {
	case m.print != 0:
	case m.forgets:
		m.print = hashOf(m.describe())
	default:
		m.print = hashOf(fmt.Sprint(m.log, m.known.all()))
	}
	return m.print
}

// describe tells all of a model.
func (m *model) describe() string {
	rev := func(r uint64) uint64 {
		if m.forgets {
			return 0 // of one prompt's commits nobody knows which are between
		}
		return r
	}
	var b strings.Builder
	fmt.Fprintln(&b, rev(m.revision), rev(m.cleared))
	for _, id := range sortedKeys(m.prompts) {
		p := m.prompts[id]
		fmt.Fprintln(&b, p.head(), rev(p.revision))
		for _, v := range p.saved {
			fmt.Fprintln(&b, v.line(id), rev(v.revision), v.deleted != 0, rev(v.deleted))
		}
		for _, l := range sortedKeys(p.labels) {
			for _, mv := range p.labels[l] {
				fmt.Fprintln(&b, l, rev(mv.revision), num(mv.from), num(mv.to), mv.author, mv.message)
			}
		}
	}
	fmt.Fprintf(&b, "%x", m.known.all())
	return b.String()
}
