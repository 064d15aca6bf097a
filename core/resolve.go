package core

import (
	"encoding/hex"
	"fmt"
	"iter"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/near"
	"github.com/stet-dev/stet/internal/selector"
)

// resolve returns the version that a selector names in the view, or a not_found
// that says what there is instead.
func (w view) resolve(s selector.Selector) (*version, error) {
	switch s.Kind() {
	case selector.KindCurrent:
		if v := w.labeled(stet.DefaultLabel); v != nil {
			return v, nil
		}
		if v := w.latest(); v != nil {
			return v, nil
		}
		return nil, w.noVersions()
	case selector.KindLatest:
		if v := w.latest(); v != nil {
			return v, nil
		}
		return nil, w.noVersions()
	case selector.KindExact:
		if v := w.byNumber(s.Number()); v != nil {
			return v, nil
		}
		return nil, w.noNumber(s.Number())
	case selector.KindLabel:
		if v := w.labeled(s.Label()); v != nil {
			return v, nil
		}
		return nil, w.noLabel(s.Label())
	case selector.KindOrdinal:
		if n := s.Ordinal(); n <= uint64(len(w.ordinals)) {
			once := w.ordinals[n-1]
			if v := w.byNumber(once.number); v != nil {
				return v, nil
			}
			return nil, w.noNumber(once.number)
		}
		return nil, stet.Errorf(stet.CodeNotFound, "%s has no version #%d: %d were saved. See: stet log %s", w.id, s.Ordinal(), len(w.ordinals), w.id)
	case selector.KindDigest:
		return w.byDigest(s.Digest())
	}
	r := s.Range()
	for in := range r.Intervals() {
		for v := range w.down(in.Prerelease, in.High) {
			if in.Contains(v.number) {
				return v, nil
			}
			if v.number.Less(in.Low) {
				break
			}
		}
	}
	return nil, w.noMatch(s)
}

// byDigest returns the version whose digest begins with the given hex digits. If
// several do with one content, that is the newest of them; with two contents it
// is an error. It looks at every version of the prompt, unless a survey has an index.
func (w view) byDigest(prefix string) (*version, error) {
	whole, _ := hex.DecodeString(prefix[:len(prefix)&^1])
	var found, other *version
	for v := range w.beginning(whole) {
		switch {
		case len(prefix)&1 == 1 && !strings.HasPrefix(hex.EncodeToString(v.digest[:]), prefix):
		case found == nil || found.digest == v.digest && found.ordinal < v.ordinal:
			found = v
		case found.digest == v.digest:
		case found.ordinal < v.ordinal:
			found, other = v, found
		case other == nil || other.ordinal < v.ordinal:
			other = v
		}
	}
	if other != nil {
		return nil, stet.Errorf(stet.CodeConflict, "sha256:%s means two contents of %s: %s (%s) and %s (%s). Write more digits.",
			prefix, w.id, other.number, other.digest, found.number, found.digest)
	}
	if found == nil {
		return nil, stet.Errorf(stet.CodeNotFound, "%s has no version with a digest that begins with sha256:%s. See: stet log %s", w.id, prefix, w.id)
	}
	return found, nil
}

func (w view) noVersions() error {
	if n := len(w.ordinals); n > 0 && w.at == now {
		return stet.Errorf(stet.CodeNotFound, "every version of %s was deleted; %s was the highest.", w.id, w.highestUsed())
	}
	return noPrompt(w.id, w.at)
}

func noPrompt(id string, at uint64) error {
	if at != now {
		return stet.Errorf(stet.CodeNotFound, "there was no prompt %q at revision %d.", id, at)
	}
	return stet.Errorf(stet.CodeNotFound, "there is no prompt %q. See: stet list", id)
}

// noPrompt is the error for a prompt that the snapshot does not have, with what may have
// been meant: the id with / for %2F, or else the most similar of the ids that sort next
// to it.
func (s *snapshot) noPrompt(id string, at uint64) error {
	if at != now {
		return noPrompt(id, at)
	}
	meant := strings.NewReplacer("%2F", "/", "%2f", "/").Replace(id)
	if h := s.tree.get(meant); h == nil || h.latest == nil {
		meant = near.Closest(id, s.beside(id))
	}
	if meant == "" || meant == id { // saved just now
		return noPrompt(id, at)
	}
	hint := &near.Hint{Name: meant}
	return stet.WrapError(hint, stet.CodeNotFound, "there is no prompt %q.%s See: stet list", id, hint)
}

// beside yields the ids that sort next to one, as many before it as after it.
func (s *snapshot) beside(id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, walk := range []func(*head, func(*head) bool){s.tree.tree.Descend, s.tree.tree.Ascend} {
			left, on := near.Most/2, true
			walk(&head{id: id}, func(h *head) bool {
				left--
				on = h.latest == nil || yield(h.id)
				return on && left > 0
			})
			if !on {
				return
			}
		}
	}
}

func (w view) noNumber(n stet.Number) error {
	latest := w.latest()
	switch v := w.used(n); {
	case v != nil && v.deleted != 0 && v.deleted <= w.at:
		return stet.Errorf(stet.CodeNotFound, "%s@%s was deleted at revision %d.%s", w.id, n, v.deleted, w.instead())
	case v != nil && v.revision > w.at:
		return stet.Errorf(stet.CodeNotFound, "%s@%s was saved at revision %d, after revision %d.", w.id, n, v.revision, w.at)
	case latest == nil:
		return w.noVersions()
	}
	return stet.Errorf(stet.CodeNotFound, "%s has no version %s.%s", w.id, n, w.instead())
}

// instead says what a caller may have meant.
func (w view) instead() string {
	v := w.latest()
	if v == nil {
		return " No version of it is left."
	}
	return fmt.Sprintf(" Its latest is %s. See: stet log %s", v.number, w.id)
}

func (w view) noMatch(s selector.Selector) error {
	v := w.latest()
	if v == nil {
		return w.noVersions()
	}
	hint := ""
	if v.number.IsPrerelease() {
		hint = " Pre-releases match only a range that names one."
	}
	return stet.Errorf(stet.CodeNotFound, "%s has no version in the range %q.%s%s", w.id, s, hint, w.instead())
}

// maxNamed is how many labels an error lists: enough for nearly every prompt, and still
// a sentence.
const maxNamed = 10

func (w view) noLabel(name string) error {
	if w.latest() == nil {
		return w.noVersions()
	}
	var there []string
	more := 0
	for name := range w.labelNames() {
		if len(there) < maxNamed {
			there = append(there, fmt.Sprintf("%s → %s", name, w.labeled(name).number))
		} else {
			more++
		}
	}
	list := "It has no labels."
	if len(there) > 0 {
		list = "Labels: " + strings.Join(there, ", ") + "."
	}
	if more > 0 {
		list = fmt.Sprintf("%s and %d more.", strings.TrimSuffix(list, "."), more)
	}
	if meant := near.Closest(name, w.labelNames()); meant != "" {
		list += " Did you mean " + meant + "?"
	}
	if l := w.head.label(name); l != nil && w.at == now {
		return stet.Errorf(stet.CodeNotFound, "%s has no label %q since revision %d. %s", w.id, name, l.last().revision, list)
	}
	return stet.Errorf(stet.CodeNotFound, "%s has no label %q. %s", w.id, name, list)
}

// labelNames yields the labels that are on a version.
func (w view) labelNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		all := w.labels.all()
		if w.at != now {
			all = w.everLabels()
		}
		for l := range all {
			if w.labeled(l.name) != nil && !yield(l.name) {
				return
			}
		}
	}
}
