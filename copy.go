package stet

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Copy is a change together with the versions that it saved: Export yields them and
// Replay adds them. As JSON it is the change, with the versions as the contents of its
// saves.
type Copy struct {
	Change Change
	// Versions has one element per operation. It is zero if the operation saved no
	// version, or one that is deleted.
	Versions []Version
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

// UnmarshalJSONFrom reads what MarshalJSON writes. It checks only the form; Replay checks
// the rest.
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
