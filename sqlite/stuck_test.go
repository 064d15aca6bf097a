package sqlite

import (
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
)

// Reads answer while a commit is stuck in the sync that ends its transaction: with the
// texts from the file, since none is cached.
func TestReadsDuringCommit(t *testing.T) {
	ctx := t.Context()
	l := newLog(t)
	s, err := core.Open(ctx, l, &core.Options{CacheBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Save(ctx, stet.Draft{PromptID: "p", Text: "one", Labels: []string{"production"}})
	if err != nil {
		t.Fatal(err)
	}
	entered, release, saved := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	on(t, l, "COMMIT", func(run func() error) error {
		close(entered)
		<-release
		return run()
	})
	go func() {
		_, err := s.Save(ctx, stet.Draft{PromptID: "p", Text: "two"})
		saved <- err
	}()
	<-entered
	for _, ref := range []string{"p", "p@latest", "p@production", "p@1.0.0", "p@^1", "p@#1"} {
		if v, err := s.Get(ctx, ref); err != nil || v.Content().Text() != "one" {
			t.Errorf("%s: %q, %v", ref, v.Content().Text(), err)
		}
	}
	if v, err := s.Get(ctx, "p@latest", stet.ReadOptions{At: stet.Point{Time: first.CreatedAt()}}); err != nil || v.Content().Text() != "one" {
		t.Errorf("at a time: %q, %v", v.Content().Text(), err)
	}
	if p, err := s.ListPage(ctx, "p", stet.ListOptions{}); err != nil || len(p.Items) != 1 {
		t.Errorf("a list of %d, %v", len(p.Items), err)
	}
	if p, err := s.PromptsPage(ctx, stet.PromptsOptions{Label: "production"}); err != nil || len(p.Items) != 1 {
		t.Errorf("%d prompts, %v", len(p.Items), err)
	}
	if p, err := s.ChangesPage(ctx, 0, stet.ChangesOptions{Texts: true}); err != nil || len(p.Items) != 1 {
		t.Errorf("%d changes, %v", len(p.Items), err)
	}
	close(release)
	if err := <-saved; err != nil {
		t.Error(err)
	}
	on(t, l, "", nil)
	if v, err := s.Get(ctx, "p@latest"); err != nil || v.Content().Text() != "two" {
		t.Errorf("afterwards: %q, %v", v.Content().Text(), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
