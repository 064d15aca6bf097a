package stet

import "time"

// DefaultLimit and MaxLimit bound the number of items of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// MaxPageBytes bounds what a page holds, in bytes of memory: it ends early rather than
// hold more, but always has one item.
const MaxPageBytes = 8 << 20

// MaxGetBytes bounds what the versions that one GetMany returns hold together, in
// bytes of memory: four pages, and half of what a server sends as one answer.
const MaxGetBytes = 32 << 20

// ReadOptions say which state of the store is read. The zero value is the newest.
type ReadOptions struct {
	// At reads the store as it was. At most one of its fields is set. A text
	// that was deleted since is gone, and is reported so.
	At Point
	// MinRevision waits until the store has reached a revision.
	MinRevision uint64
	// Local reads what this process knows already, without asking a shared
	// engine whether there is something newer. AsOf tells what was read.
	Local bool
}

// A Point is an instant of the store's past. The zero Point is now.
type Point struct {
	// Revision is the state just after that commit.
	Revision uint64
	// Time is the state just after the last commit whose time is not later.
	// Where the store's clock was set back, neighbours of that moment may be
	// counted on either side.
	Time time.Time
}

// IsZero tells whether p is now.
func (p Point) IsZero() bool { return p.Revision == 0 && p.Time.IsZero() }

// A Page is a part of a list, all of it of one revision.
type Page[T any] struct {
	Items []T
	// Next continues the list where this page ends; "" at the end. It is good
	// for as long as the store lives, whatever is saved or deleted meanwhile.
	Next string
	// AsOf is the revision that the page is of.
	AsOf uint64
}

// ListOptions choose and order the versions of a prompt.
type ListOptions struct {
	// Ascending lists the lowest precedence first; the highest is otherwise.
	Ascending bool
	// Limit is the number of versions a page, DefaultLimit if 0.
	Limit int
	// Cursor is the Next of the page before.
	Cursor string
	ReadOptions
}

// PromptsOptions choose prompts.
type PromptsOptions struct {
	// Prefix keeps the ids that begin with it, byte for byte.
	Prefix string
	// Label keeps the prompts that have the label.
	Label  string
	Limit  int
	Cursor string
	ReadOptions
}

// HistoryOptions choose the moves of a label; the newest come first.
type HistoryOptions struct {
	Limit  int
	Cursor string
	ReadOptions
}

// ChangesOptions choose changes.
type ChangesOptions struct {
	// Prefix keeps what was done to prompts whose ids begin with it, byte for byte, and
	// every clear; see [Change.WithPrefix].
	Prefix string
	// Texts adds the saved versions themselves, as far as they still live.
	Texts bool
	// Limit is the number of changes that a page looks at, DefaultLimit if 0: with a
	// Prefix it may have fewer, or none, and still a Next.
	Limit int
}
