package stet

import (
	"context"
	"errors"
)

// Commit carries out a list of operations together or not at all: readers see
// all of it or nothing of it, and it is in the log once for its ID, however often
// it is sent.
//
// It fails with conflict, not_found, invalid or too_large, and Op is the index of
// the operation that it was refused for; with unavailable if it could not be
// written and nothing changed; and with unknown, and CommitID to send it again
// with, if it may have been applied.
func (s *Store) Commit(ctx context.Context, c Commit) (Done, error) {
	return s.backend.Commit(ctx, c)
}

// Save adds a version. Without a Version in the draft the store chooses the
// number in the same step: no two saves ever get the same one.
//
// Its commit has the draft's Author and Message. To be able to send a save again,
// make it a [Commit] with an ID; after an error with the code unknown, one with the
// error's CommitID, the same draft, and its Author and Message.
func (s *Store) Save(ctx context.Context, d Draft) (Saved, error) {
	done, err := s.backend.Commit(ctx, Commit{Author: d.Author, Message: d.Message, Ops: []Op{{Save: &d}}})
	if err != nil {
		return Saved{}, single(err)
	}
	r := &done.Results[0]
	return Saved{
		Version: done.Versions[0], Unchanged: r.Unchanged, Bump: r.Bump, Reason: r.Reason, CommitID: done.ID,
	}, nil
}

// Delete removes a version, or a prompt where no version is named, and returns
// how many versions went: 0 if there was nothing to delete. It is refused as a
// conflict while a label points there, unless Force is set.
func (s *Store) Delete(ctx context.Context, by By, d Delete) (int, error) {
	done, err := s.commit(ctx, by, Op{Delete: &d})
	if err != nil {
		return 0, err
	}
	return done.Results[0].Deleted, nil
}

// Clear removes everything and begins a new epoch, in which numbers start again.
// The log and the revision go on.
func (s *Store) Clear(ctx context.Context, by By) error {
	_, err := s.commit(ctx, by, Op{Clear: &Clear{}})
	return err
}

// SetLabel moves a label and returns where it came from and where it is.
func (s *Store) SetLabel(ctx context.Context, by By, l SetLabel) (LabelChange, error) {
	return s.moveLabel(ctx, by, Op{SetLabel: &l})
}

// RemoveLabel takes a label away. It fails with not_found if there is none.
func (s *Store) RemoveLabel(ctx context.Context, by By, l RemoveLabel) (LabelChange, error) {
	return s.moveLabel(ctx, by, Op{RemoveLabel: &l})
}

// Rollback moves a label to where it was before its last move. It fails with
// not_found if the label has been nowhere else, or if that version was deleted.
func (s *Store) Rollback(ctx context.Context, by By, r Rollback) (LabelChange, error) {
	return s.moveLabel(ctx, by, Op{Rollback: &r})
}

// By says who commits and why, for the log. The zero By says nothing.
type By struct {
	Author  string
	Message string
	// CommitID makes the commit happen exactly once; the store makes one if it
	// is "".
	CommitID string
}

func (s *Store) moveLabel(ctx context.Context, by By, op Op) (LabelChange, error) {
	done, err := s.commit(ctx, by, op)
	if err != nil {
		return LabelChange{}, err
	}
	l := done.Results[0].Labels[0]
	l.PromptID = done.Results[0].PromptID
	return l, nil
}

func (s *Store) commit(ctx context.Context, by By, op Op) (Done, error) {
	done, err := s.backend.Commit(ctx, Commit{ID: by.CommitID, Author: by.Author, Message: by.Message, Ops: []Op{op}})
	return done, single(err)
}

// single returns err without the index of an operation: there was only one.
func single(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Op != NoOp {
		c := *e
		c.Op = NoOp
		return &c
	}
	return err
}
