package stet

import (
	"context"
	"errors"
)

// Commit carries out the operations of c, all or none, and readers see all or none of
// them. A commit with an ID is applied once, however often it is sent.
//
// Commit fails with conflict, not_found, invalid or too_large if an operation is
// refused, whose index is the error's Op. It fails with unavailable if the commit could
// not be written and nothing changed, and with unknown if it may have been applied: send
// it again with the error's CommitID.
func (s *Store) Commit(ctx context.Context, c Commit) (Done, error) {
	return s.backend.Commit(ctx, c)
}

// Save adds a version. If the draft has no Version, the store chooses the number in the
// same step: no two saves get the same one.
//
// Save makes a commit with the draft's Author and Message. After an error with the code
// unknown, send the same commit again: call Commit with the error's CommitID, the same
// Author and Message, and the draft as its only operation.
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

// Delete removes a version, or the whole prompt if d names no version. It returns the
// number of versions that it removed, 0 if there was nothing to delete. It fails with
// conflict while a label points at what is to be removed, unless d.Force is set.
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

// SetLabel moves a label, which need not exist yet, and returns the versions that it
// was moved from and to.
func (s *Store) SetLabel(ctx context.Context, by By, l SetLabel) (LabelChange, error) {
	return s.moveLabel(ctx, by, Op{SetLabel: &l})
}

// RemoveLabel removes a label. It fails with not_found if the prompt has no such label.
func (s *Store) RemoveLabel(ctx context.Context, by By, l RemoveLabel) (LabelChange, error) {
	return s.moveLabel(ctx, by, Op{RemoveLabel: &l})
}

// Rollback moves a label back to the version that it was on before its last move. It
// fails with not_found if it was on no version before, or if that version was deleted.
func (s *Store) Rollback(ctx context.Context, by By, r Rollback) (LabelChange, error) {
	return s.moveLabel(ctx, by, Op{Rollback: &r})
}

// By says who commits and why, for the log. The zero By says nothing.
type By struct {
	Author  string
	Message string
	// CommitID is the ID of the commit; see [Commit]. If it is "", the store makes one.
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

// single returns err without the index of an operation: the caller gave only one.
func single(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Op != NoOp {
		c := *e
		c.Op = NoOp
		return &c
	}
	return err
}
