package corrupt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/stet-dev/stet"
)

// An answer is what a store says to one question.
type answer struct {
	question string
	text     string // of versions: what the digest is over
	rest     string // everything else
	code     stet.Code
	message  string
}

// answers asks a store everything: each version in several ways, heads, lists,
// label histories, the past and the log.
func answers(ctx context.Context, s *stet.Store) []answer {
	var all []answer
	add := func(text, rest string, err error, format string, args ...any) {
		a := answer{question: fmt.Sprintf(format, args...), text: text, rest: rest, code: stet.CodeOf(err)}
		if err != nil {
			a.text, a.rest, a.message = "", "", err.Error()
		}
		all = append(all, a)
	}
	version := func(v stet.Version, err error, format string, args ...any) {
		add(text(v), rest(v), err, format, args...)
	}
	tail, err := s.Tail(ctx)
	revision := tail.Revision
	add("", fmt.Sprint(tail), err, "epoch and tail")
	for i := range prompts + 1 {
		p := id(i)
		h, err := s.Head(ctx, p)
		add("", head(h), err, "head %s", p)
		for ordinal := range 60 {
			v, err := s.Get(ctx, fmt.Sprintf("%s@#%d", p, ordinal+1))
			version(v, err, "%s@#%d", p, ordinal+1)
		}
		for _, sel := range []string{"", "@latest", "@production", "@staging", "@canary", "@^1", "@1.x", "@2.0.0", "@1.1.0", "@1.2.0", "@1.3.0"} {
			v, err := s.Get(ctx, p+sel)
			version(v, err, "%s%s", p, sel)
		}
		for at := revision / 5; at <= revision; at += max(1, revision/5) {
			v, err := s.Get(ctx, p, stet.ReadOptions{At: stet.Point{Revision: at}})
			version(v, err, "%s at revision %d", p, at)
		}
		at := stet.Point{Time: epochTime.Add(1000e9)}
		v, err := s.Get(ctx, p, stet.ReadOptions{At: at})
		version(v, err, "%s at %s", p, at.Time)
		for _, label := range []string{"production", "staging", "canary", "none"} {
			page, err := s.HistoryPage(ctx, p, label, stet.HistoryOptions{Limit: 1000})
			add("", fmt.Sprintf("%+v", page), err, "history %s@%s", p, label)
		}
		page, err := s.ListPage(ctx, p, stet.ListOptions{Limit: 1000})
		texts, rests := "", ""
		for _, v := range page.Items {
			texts, rests = texts+text(v)+"\n", rests+rest(v)+"\n"
		}
		add(texts, rests, err, "list %s", p)
	}
	page, err := s.PromptsPage(ctx, stet.PromptsOptions{Limit: 1000})
	heads := ""
	for _, h := range page.Items {
		heads += head(h) + "\n"
	}
	add("", heads, err, "prompts")
	for at := uint64(0); at < revision; {
		page, err := s.ChangesPage(ctx, at, stet.ChangesOptions{Limit: 100})
		changes := ""
		for _, c := range page.Items {
			ops, jerr := json.Marshal(c.Ops)
			err = errors.Join(err, jerr)
			changes += fmt.Sprintln(c.Revision, c.Hash, c.ID, c.Time, c.Author, c.Message, string(ops))
		}
		add("", changes, err, "changes after %d", at)
		at += 100
	}
	return all
}

func text(v stet.Version) string {
	if v.IsZero() {
		return ""
	}
	c := v.Content()
	return fmt.Sprintf("%s@%s %s %s %q %s", v.PromptID(), v.Number(), v.Digest(), c.Type(), c.Text(), c.Messages()) + c.Config()
}

func rest(v stet.Version) string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("#%d r%d of %d %s %v by %s: %s at %s", v.Ordinal(), v.Revision(), v.AsOf(), v.Metadata(), slices.Collect(v.Parents()), v.Author(), v.Message(), v.CreatedAt())
}

func head(h stet.Head) string {
	return fmt.Sprintf("%+v", h) // maps print in the order of their keys
}
