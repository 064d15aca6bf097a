package stet

import "time"

// DefaultLimit is the number of items of a page if no limit is given, and MaxLimit the
// largest limit.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// MaxPageBytes is about how many bytes of memory a page may take. A page that would take
// more ends early, but has at least one item.
const MaxPageBytes = 8 << 20

// MaxGetBytes is how many bytes of memory the versions that one GetMany returns may take
// together: four pages, and half of what a server sends as one answer.
const MaxGetBytes = 32 << 20

// ReadOptions say which state of the store is read. The zero value reads the newest.
type ReadOptions struct {
	// At reads an earlier state. A text that was deleted since is not_found.
	At Point
	// MinRevision makes the read wait until the store has reached this revision.
	MinRevision uint64
	// Local reads the state that this process has, without asking a shared engine for a
	// newer one. The AsOf of what is returned is its revision.
	Local bool
}

// A Point is an instant of the store's past. At most one field may be set. The zero Point
// is now.
type Point struct {
	// Revision means the state just after the commit with this revision.
	Revision uint64
	// Time means the state just after the last commit whose time is not later. If the
	// store's clock was set back, commits near that time may be left out or included.
	Time time.Time
}

// IsZero reports whether p is now.
func (p Point) IsZero() bool { return p.Revision == 0 && p.Time.IsZero() }

// A Page is a part of a list, all of it of one revision.
type Page[T any] struct {
	Items []T
	// Next is the Cursor of the next page, "" if this is the last. It stays valid whatever
	// is saved or deleted meanwhile.
	Next string
	// AsOf is the revision of the state that the page shows.
	AsOf uint64
}

// ListOptions choose and order the versions of a prompt.
type ListOptions struct {
	// Ascending lists the lowest precedence first, instead of the highest.
	Ascending bool
	// Limit is the maximum number of versions in a page, DefaultLimit if 0.
	Limit int
	// Cursor is the Next of the previous page, "" for the first.
	Cursor string
	ReadOptions
}

// PromptsOptions choose prompts.
type PromptsOptions struct {
	// Prefix chooses the prompts whose ids begin with it, byte for byte.
	Prefix string
	// Label, if not "", chooses the prompts that have this label.
	Label string
	// Limit and Cursor are as in ListOptions.
	Limit  int
	Cursor string
	ReadOptions
}

// HistoryOptions choose a page of the moves of a label.
type HistoryOptions struct {
	// Limit and Cursor are as in ListOptions.
	Limit  int
	Cursor string
	ReadOptions
}

// ChangesOptions choose changes.
type ChangesOptions struct {
	// Prefix chooses the operations on prompts whose ids begin with it, byte for byte, and
	// every clear; see [Change.WithPrefix].
	Prefix string
	// Texts adds the saved versions themselves, unless they were deleted since.
	Texts bool
	// Limit is the maximum number of changes that a page examines, DefaultLimit if 0. With
	// a Prefix a page may have fewer items, or none, although it has a Next.
	Limit int
}
