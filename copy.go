package stet

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Copy is a change of a store together with the versions that it
// saved, as far as they still live: what a store is copied in. As JSON it is the
// change, with the versions as the contents of its saves.
type Copy struct {
	Change   Change
	Versions []Version // one an operation; zero where none was saved or it is gone
}

// MarshalJSON returns the copy as one JSON object.
func (c Copy) MarshalJSON() ([]byte, error) {
	ch := c.Change
	ch.Ops = slices.Clone(ch.Ops) // the caller's own stay as they are
	for i := range ch.Ops {
		if ch.Ops[i].Save == nil {
			continue
		}
		save := *ch.Ops[i].Save
		save.Content = nil
		if i < len(c.Versions) && !c.Versions[i].IsZero() {
			save.Content = &c.Versions[i]
		}
		ch.Ops[i].Save = &save
	}
	return ch.MarshalJSON()
}

// UnmarshalJSONFrom reads what MarshalJSON writes. Replay checks what it says.
func (c *Copy) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var ch Change
	if err := json.UnmarshalDecode(d, &ch); err != nil {
		return err
	}
	versions := make([]Version, len(ch.Ops))
	for i := range ch.Ops {
		if save := ch.Ops[i].Save; save != nil && save.Content != nil {
			versions[i], save.Content = *save.Content, nil
		}
	}
	*c = Copy{ch, versions}
	return nil
}
