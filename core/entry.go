package core

import (
	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/driver"
)

// entry makes the entry of a change that the tx has carried out.
func (c *Core) entry(t *tx, p *pending, out *outcome) driver.Entry {
	ch := out.change
	data := appendChange(make([]byte, 0, 192+256*len(ch.Ops)), ch)
	ch.Hash = link(t.hash, data)
	e := driver.Entry{Revision: ch.Revision, ID: ch.ID, Hash: ch.Hash, Data: data}
	for i := range ch.Ops {
		o := &ch.Ops[i]
		switch {
		case o.Save != nil:
			s := o.Save
			if out.bodies[i] != nil {
				body := driver.Body{
					BodyRef: driver.BodyRef{Revision: ch.Revision, Op: i, PromptID: s.PromptID, Version: s.Version.String(), Ordinal: s.Ordinal},
					Text:    bodyText(p.ops[i].fields.Content), Fields: p.ops[i].stored,
				}
				e.Bodies = append(e.Bodies, body)
			}
			e.Moves = appendMoves(e.Moves, s.PromptID, s.Labels)
		case o.Delete != nil:
			e.Moves = appendMoves(e.Moves, o.Delete.PromptID, o.Delete.Labels)
		case o.SetLabel != nil:
			e.Moves = appendMoves(e.Moves, o.SetLabel.PromptID, []stet.LabelChange{*o.SetLabel})
		case o.RemoveLabel != nil:
			e.Moves = appendMoves(e.Moves, o.RemoveLabel.PromptID, []stet.LabelChange{*o.RemoveLabel})
		case o.Rollback != nil:
			e.Moves = appendMoves(e.Moves, o.Rollback.PromptID, []stet.LabelChange{*o.Rollback})
		case o.Clear != nil:
			// What this commit itself saved before its clear goes too.
			for _, b := range e.Bodies {
				e.Dropped = append(e.Dropped, b.BodyRef)
			}
			e.Cleared, e.Moves = true, nil
		}
	}
	e.Dropped = append(e.Dropped, t.dropped()...)
	return e
}

func appendMoves(moves []driver.Move, id string, labels []stet.LabelChange) []driver.Move {
	for _, l := range labels {
		m := driver.Move{PromptID: id, Label: l.Label}
		if !l.To.IsZero() {
			m.Version = l.To.String()
		}
		moves = append(moves, m)
	}
	return moves
}
