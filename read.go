package stet

import (
	"context"
	"iter"
	"strings"
)

// Get returns the version that a reference names: "ID" for the current one, or
// "ID@SELECTOR", where the selector is a number, a label, latest, current, a
// range (^1.2), an ordinal (#12) or sha256: and at least 8 hex digits.
//
//	v, err := store.Get(ctx, "support/triage@production")
//
// At most one ReadOptions may be given, to read an earlier state of the store for
// example. A version that existed then and was deleted since is not_found: its text is
// gone.
//
//	v, err := store.Get(ctx, "support/triage@production", stet.ReadOptions{At: stet.Point{Time: noon}})
//
// It fails with invalid if ref is malformed, and with not_found if the prompt, the
// version or the label does not exist. The error says which of them, and what there is
// instead.
func (s *Store) Get(ctx context.Context, ref string, o ...ReadOptions) (Version, error) {
	if len(o) > 0 {
		return s.getAs(ctx, ref, o)
	}
	sel := "latest"
	id, found := strings.CutSuffix(ref, "@latest") // no search for the @, which is a tenth of the call
	if !found {
		id, sel, _ = SplitRef(ref)
	}
	return s.backend.Get(ctx, id, sel)
}

// Latest returns the highest release of a prompt, or its highest pre-release if
// it has no release.
func (s *Store) Latest(ctx context.Context, id string) (Version, error) {
	return s.backend.Get(ctx, id, "latest")
}

// getAs is Get with options.
func (s *Store) getAs(ctx context.Context, ref string, o []ReadOptions) (Version, error) {
	options, err := one(o)
	if err != nil {
		return Version{}, err
	}
	versions, _, err := s.backend.GetMany(ctx, []string{ref}, options)
	if err != nil {
		return Version{}, single(err)
	}
	return versions[0], nil
}

// GetMany returns the versions that refs name, in the order of refs, all as of one
// revision, which it returns too. If one of them cannot be read it returns no version,
// and the Op of the error is the index of that reference.
//
// It fails with too_large for more than MaxLimit references, and for several versions
// that take more than MaxGetBytes of memory together.
func (s *Store) GetMany(ctx context.Context, refs []string, o ReadOptions) (versions []Version, asOf uint64, err error) {
	return s.backend.GetMany(ctx, refs, o)
}

// Head returns what changes about a prompt: latest, current, labels, the number of
// versions. It fails with not_found if the prompt has no version that is not deleted.
// At most one ReadOptions may be given.
func (s *Store) Head(ctx context.Context, id string, o ...ReadOptions) (Head, error) {
	options, err := one(o)
	if err != nil {
		return Head{}, err
	}
	return s.backend.Head(ctx, id, options)
}

// one returns the options of a call that takes at most one.
func one(o []ReadOptions) (ReadOptions, error) {
	switch len(o) {
	case 0:
		return ReadOptions{}, nil
	case 1:
		return o[0], nil
	}
	return ReadOptions{}, Errorf(CodeInvalid, "%d ReadOptions were given. Give one, with all that is wanted.", len(o))
}

// List yields the versions of a prompt by precedence, the highest first unless
// the options say otherwise. It reads page by page; each page is of one revision.
func (s *Store) List(ctx context.Context, id string, o ListOptions) iter.Seq2[Version, error] {
	return all(func(cursor string) (Page[Version], error) {
		o.Cursor = cursor
		return s.backend.List(ctx, id, o)
	}, o.Cursor)
}

// ListPage returns one page of List.
func (s *Store) ListPage(ctx context.Context, id string, o ListOptions) (Page[Version], error) {
	return s.backend.List(ctx, id, o)
}

// Prompts yields the heads of all prompts that have a version, ordered by the bytes of
// their ids. It reads page by page; each page is of one revision.
func (s *Store) Prompts(ctx context.Context, o PromptsOptions) iter.Seq2[Head, error] {
	return all(func(cursor string) (Page[Head], error) {
		o.Cursor = cursor
		return s.backend.Prompts(ctx, o)
	}, o.Cursor)
}

// PromptsPage returns one page of Prompts.
func (s *Store) PromptsPage(ctx context.Context, o PromptsOptions) (Page[Head], error) {
	return s.backend.Prompts(ctx, o)
}

// History yields the moves of a label ("" for production), the newest first. It reads
// page by page; each page is of one revision.
func (s *Store) History(ctx context.Context, id, label string, o HistoryOptions) iter.Seq2[Move, error] {
	return all(func(cursor string) (Page[Move], error) {
		o.Cursor = cursor
		return s.backend.History(ctx, id, label, o)
	}, o.Cursor)
}

// HistoryPage returns one page of History.
func (s *Store) HistoryPage(ctx context.Context, id, label string, o HistoryOptions) (Page[Move], error) {
	return s.backend.History(ctx, id, label, o)
}

// all yields the items of all pages from a cursor on.
func all[T any](page func(cursor string) (Page[T], error), cursor string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			p, err := page(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			cursor = p.Next
		}
	}
}
