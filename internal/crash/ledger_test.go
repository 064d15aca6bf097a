package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/stet-dev/stet"
)

var background = context.Background()

// A ledger is what callers of one store were told, and what was seen in its log
// when it was opened. What was seen once must be there for good.
type ledger struct {
	load load

	told    map[id]answer    // of commits that were acknowledged
	refused map[id]stet.Code // of commits that are not in the log
	next    map[[2]int]int   // by life and worker: the commit whose answer is missing
	fresh   []id             // acknowledged since the last check

	// What the log has, as far as it was read.
	revision uint64
	hash     stet.Hash
	found    map[id]answer
	alive    map[string]map[string]bool        // by prompt and number
	places   map[string]map[string]stet.Number // by prompt and label
	cleared  uint64

	// anybody may have been about to get an answer.
	anybody bool

	resent, resolved int
}

// An answer is where a commit is in the log, and a sum of what it did.
type answer struct {
	revision uint64
	sum      string
}

func newLedger(l load) *ledger {
	return &ledger{
		load: l, told: make(map[id]answer), refused: make(map[id]stet.Code), next: make(map[[2]int]int),
		found: make(map[id]answer), alive: make(map[string]map[string]bool), places: make(map[string]map[string]stet.Number),
	}
}

// readLine reads a line that a child printed.
func (l *ledger) readLine(line string) error {
	f := strings.Fields(line)
	if len(f) < 3 {
		return fmt.Errorf("the child printed %q", line)
	}
	i, err := parseID(f[1])
	if err != nil {
		return err
	}
	who := [2]int{i.life, i.worker}
	if l.next[who] != i.n {
		return fmt.Errorf("the child answered %s where %d was due", i, l.next[who])
	}
	switch f[0] {
	case "ack":
		revision, err := strconv.ParseUint(f[2], 10, 64)
		if err != nil || len(f) != 4 {
			return fmt.Errorf("the child printed %q", line)
		}
		if before, ok := l.told[id{i.life, i.worker, i.n - 1}]; ok && before.revision >= revision {
			return fmt.Errorf("%s was acknowledged at revision %d, and the commit before it at %d", i, revision, before.revision)
		}
		l.told[i] = answer{revision, f[3]}
		l.fresh = append(l.fresh, i)
	case "refused":
		l.refused[i] = stet.Code(f[2])
	default:
		return fmt.Errorf("the child printed %q", line)
	}
	l.next[who] = i.n + 1
	return nil
}

// pending reports whether the answer to a commit was on its way when its process ended.
func (l *ledger) pending(i id) bool {
	n, ok := l.next[[2]int{i.life, i.worker}]
	return ok && i.n == n
}

// begin begins a life with workers.
func (l *ledger) begin(life, workers int) {
	for w := range workers {
		l.next[[2]int{life, w}] = 0
	}
}

// check holds the log of a store that nobody writes to against what was told.
// It reads what is new since the last check.
func (l *ledger) check(s *stet.Store) error {
	if l.revision > 0 {
		page, err := s.ChangesPage(background, l.revision-1, stet.ChangesOptions{Limit: 1})
		if err != nil || len(page.Items) != 1 || page.Items[0].Hash != l.hash {
			return fmt.Errorf("revision %d, which was there, is not any more, or is another: %w", l.revision, err)
		}
	}
	var texts []stet.Change
	tail, err := s.Tail(background)
	if err != nil {
		return err
	}
	for l.revision < tail.Revision {
		page, err := s.ChangesPage(background, l.revision, stet.ChangesOptions{Limit: 1000, Texts: true})
		if err != nil {
			return err
		}
		for _, ch := range page.Items {
			if err := l.read(&ch); err != nil {
				return fmt.Errorf("revision %d: %w", ch.Revision, err)
			}
			texts = append(texts, ch)
		}
	}
	for _, ch := range texts {
		if err := l.whole(&ch); err != nil {
			return fmt.Errorf("revision %d: %w", ch.Revision, err)
		}
	}
	if err := l.holds(l.fresh); err != nil {
		return err
	}
	l.fresh = l.fresh[:0]
	return nil
}

// reread holds a store against what callers were told, by a ledger that reads its
// log from the beginning.
func (l *ledger) reread(s *stet.Store) (*ledger, error) {
	now := newLedger(l.load)
	now.told, now.refused, now.anybody = l.told, l.refused, true
	return now, errors.Join(verify(s), now.check(s), now.holdsAll(), now.heads(s))
}

func (l *ledger) holdsAll() error { return l.holds(slices.Collect(maps.Keys(l.told))) }

// holds reports whether acknowledged commits are in the log as they were told.
func (l *ledger) holds(ids []id) error {
	var lost []string
	for _, i := range ids {
		if l.found[i] != l.told[i] {
			lost = append(lost, fmt.Sprintf("%s: told %v, found %v", i, l.told[i], l.found[i]))
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("%d of %d acknowledged commits are missing or different; the log ends at revision %d: %s",
			len(lost), len(ids), l.revision, strings.Join(lost[:min(3, len(lost))], "; "))
	}
	return nil
}

// read takes in one entry of the log.
func (l *ledger) read(ch *stet.Change) error {
	if ch.Revision != l.revision+1 {
		return fmt.Errorf("it follows %d", l.revision)
	}
	i, err := parseID(ch.ID)
	if err != nil {
		return err
	}
	if _, twice := l.found[i]; twice {
		return fmt.Errorf("%s is in the log twice", i)
	}
	asked := l.load.commit(i)
	if diff := matches(&asked, ch); diff != "" {
		return fmt.Errorf("%s: %s", i, diff)
	}
	is := answer{ch.Revision, sum(wantResults(ch))}
	if was, ok := l.told[i]; ok && was != is {
		return fmt.Errorf("%s was acknowledged as %v and is %v", i, was, is)
	} else if !ok {
		if code := l.refused[i]; code != "" {
			return fmt.Errorf("%s was refused (%s) and is in the log", i, code)
		}
		if !l.anybody && !l.pending(i) {
			return fmt.Errorf("%s is in the log, and nobody was waiting for it", i)
		}
	}
	l.revision, l.hash, l.found[i] = ch.Revision, ch.Hash, is
	l.apply(ch)
	return nil
}

// apply keeps what lives and where labels are: a second, simple state machine.
func (l *ledger) apply(ch *stet.Change) {
	move := func(id string, c stet.LabelChange) {
		if l.places[id] == nil {
			l.places[id] = make(map[string]stet.Number)
		}
		if l.places[id][c.Label] = c.To; c.To.IsZero() {
			delete(l.places[id], c.Label)
		}
	}
	for i, r := range wantResults(ch) {
		for _, c := range r.Labels {
			move(r.PromptID, c)
		}
		switch o := &ch.Ops[i]; {
		case o.Save != nil && !o.Save.Unchanged:
			if l.alive[r.PromptID] == nil {
				l.alive[r.PromptID] = make(map[string]bool)
			}
			l.alive[r.PromptID][r.Version.String()] = true
		case o.Delete != nil && o.Delete.Version.IsZero():
			delete(l.alive, r.PromptID)
		case o.Delete != nil:
			delete(l.alive[r.PromptID], r.Version.String())
		case o.Clear != nil:
			clear(l.alive)
			clear(l.places)
			l.cleared = ch.Revision
		}
	}
}

// whole reports whether the texts of an entry are there, if they live, and are what
// was asked for.
func (l *ledger) whole(ch *stet.Change) error {
	i, _ := parseID(ch.ID)
	asked := l.load.commit(i)
	for n, o := range ch.Ops {
		if o.Save == nil || o.Save.Unchanged {
			continue
		}
		ref := o.Save.PromptID + "@" + o.Save.Version.String()
		switch lives := l.livesSince(o.Save.PromptID, o.Save.Version.String(), ch.Revision); {
		case lives && o.Save.Content == nil:
			return fmt.Errorf("%s has no text", ref)
		case o.Save.Content != nil && o.Save.Content.Text() != asked.Ops[n].Save.Text:
			return fmt.Errorf("%s has another text", ref)
		}
	}
	return nil
}

// livesSince reports whether a version lives; after a clear its number may be
// another's.
func (l *ledger) livesSince(prompt, number string, revision uint64) bool {
	return l.alive[prompt][number] && revision > l.cleared
}

// heads holds what is read from a store against what its log says.
func (l *ledger) heads(s *stet.Store) error {
	n := 0
	for h, err := range s.Prompts(background, stet.PromptsOptions{}) {
		if err != nil {
			return err
		}
		n++
		if h.Versions != len(l.alive[h.PromptID]) || !maps.Equal(h.Labels, l.places[h.PromptID]) {
			return fmt.Errorf("%s has %d versions and the labels %v, and by the log %d and %v", h.PromptID, h.Versions, h.Labels, len(l.alive[h.PromptID]), l.places[h.PromptID])
		}
	}
	want := 0
	for _, versions := range l.alive {
		if len(versions) > 0 {
			want++
		}
	}
	if n != want {
		return fmt.Errorf("there are %d prompts, and by the log %d", n, want)
	}
	return nil
}

// verify runs the store's own check.
func verify(s *stet.Store) error {
	r, err := s.Verify(background, stet.VerifyOptions{})
	if err != nil {
		return err
	}
	if !r.OK() {
		return errors.New("verify: " + strings.Join(r.Problems, "\n"))
	}
	return nil
}

// resend sends commits again: some that were acknowledged, and all whose answer
// is missing, each of those twice.
func (l *ledger) resend(s *stet.Store, rng *rand.Rand, some int) error {
	ids := slices.SortedFunc(maps.Keys(l.told), compare)
	for range min(some, len(ids)) {
		i := ids[rng.IntN(len(ids))]
		if err := l.sendAgain(s, i, l.told[i]); err != nil {
			return err
		}
		l.resent++
	}
	open := make([]id, 0, len(l.next))
	for who, n := range l.next {
		if n >= 0 {
			open = append(open, id{who[0], who[1], n})
		}
	}
	slices.SortFunc(open, compare)
	for _, i := range open {
		if err := l.resolve(s, i); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds out what became of a commit whose answer is missing.
func (l *ledger) resolve(s *stet.Store, i id) error {
	l.next[[2]int{i.life, i.worker}] = -1 // nobody waits any more
	was, there := l.found[i]
	tail, err := s.Tail(background)
	if err != nil {
		return err
	}
	done, err := s.Commit(background, l.load.commit(i))
	switch code := stet.CodeOf(err); {
	case err == nil:
	case (code == stet.CodeConflict || code == stet.CodeNotFound) && !there:
		l.refused[i] = code
		return nil
	default:
		return fmt.Errorf("%s, sent again: %w", i, err)
	}
	is := answer{done.Revision, sum(done.Results)}
	switch {
	case there && (is != was || !done.Replayed):
		return fmt.Errorf("%s is in the log as %v; sent again the answer is %v, replayed: %t", i, was, is, done.Replayed)
	case !there && (done.Replayed || done.Revision != tail.Revision+1):
		return fmt.Errorf("%s is not in the log, which ends at %d; sent again the answer is %v, replayed: %t", i, tail.Revision, is, done.Replayed)
	}
	l.told[i] = is
	l.fresh = append(l.fresh, i)
	l.resolved++
	return l.sendAgain(s, i, is)
}

// sendAgain sends a commit again that was acknowledged.
func (l *ledger) sendAgain(s *stet.Store, i id, was answer) error {
	done, err := s.Commit(background, l.load.commit(i))
	if err != nil {
		return fmt.Errorf("%s, acknowledged at revision %d, sent again: %w", i, was.revision, err)
	}
	if is := (answer{done.Revision, sum(done.Results)}); is != was || !done.Replayed {
		return fmt.Errorf("%s was acknowledged as %v; sent again the answer is %v, replayed: %t", i, was, is, done.Replayed)
	}
	return nil
}

func compare(a, b id) int {
	for _, d := range []int{a.life - b.life, a.worker - b.worker, a.n - b.n} {
		if d != 0 {
			return d
		}
	}
	return 0
}
