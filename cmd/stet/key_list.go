package main

import (
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/internal/term"
)

type keyListCmd struct {
	Protected bool `help:"List the protected labels instead of the keys."`
}

func (*keyListCmd) Help() string {
	return `Examples:

    stet key list
    stet key list --protected
    stet key list --json | jq -r 'select(.state == "live") | .name'

In a pipe: id, name, role, prompts, labels, when it was made, when it expires, and whether
it is live, expired or revoked, separated by tabs; with --protected: prompts and label.
With --json: one object a line.`
}

func (c *keyListCmd) Run(a *app) error {
	file, err := a.flags.Ring.file(a)
	if err != nil {
		return err
	}
	f, private, err := keys.Read(file)
	if err != nil {
		return err
	}
	if !private {
		a.say("Others than its owner can read " + term.Line(file) + ". It has only hashes, but nobody else needs it: chmod 600")
	}
	now := time.Now()
	if !c.Protected {
		if err := a.listKeys(f, now); err != nil {
			return err
		}
	}
	if c.Protected || a.out.TTY && !a.flags.JSON {
		return a.listProtected(f)
	}
	return nil
}

func (a *app) listKeys(f *keys.File, now time.Time) error {
	t := term.Table{Out: a.out, Header: []string{"NAME", "ID", "ROLE", "STATE", "MADE", "EXPIRES", "LABELS", "PROMPTS"}}
	for i := range f.Keys {
		k := &f.Keys[i]
		j := keyOf(k, now)
		prompts, labels := strings.Join(k.Prompts, ","), strings.Join(k.Labels, ",")
		switch {
		case a.flags.JSON:
			if err := a.json(j); err != nil {
				return err
			}
		case a.out.TTY:
			style, expires := term.Green, "never"
			if j.State != stateLive {
				style = term.Dim
			}
			if !k.Expires.IsZero() {
				expires = k.Expires.Local().Format("2006-01-02 15:04")
			}
			t.Row(term.Cell{Text: k.Name, Style: term.Bold}, term.Cell{Text: k.ID}, term.Cell{Text: string(k.Role)}, term.Cell{Text: j.State, Style: style},
				term.Cell{Text: term.Ago(now, k.Created), Style: term.Dim}, term.Cell{Text: expires}, term.Cell{Text: labels}, term.Cell{Text: prompts})
		default:
			t.Row(term.Cell{Text: k.ID}, term.Cell{Text: k.Name}, term.Cell{Text: string(k.Role)}, term.Cell{Text: prompts}, term.Cell{Text: labels},
				term.Cell{Text: j.Created}, term.Cell{Text: j.Expires}, term.Cell{Text: j.State})
		}
	}
	t.Flush()
	return nil
}

func (a *app) listProtected(f *keys.File) error {
	t := term.Table{Out: a.out, Header: []string{"PROTECTED", "LABEL"}}
	for _, p := range f.Protected {
		if a.flags.JSON {
			if err := a.json(protectionJSON(p)); err != nil {
				return err
			}
			continue
		}
		t.Row(term.Cell{Text: p.Prompts}, term.Cell{Text: p.Label})
	}
	t.Flush()
	return nil
}

// The states of a key, as they are printed.
const (
	stateLive    = "live"
	stateExpired = "expired"
	stateRevoked = "revoked"
)

// keyJSON is a key in JSON; Key is its secret if it was just made.
type keyJSON struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Role    string   `json:"role"`
	Prompts []string `json:"prompts"`
	Labels  []string `json:"labels,omitempty"`
	Created string   `json:"created"`
	Expires string   `json:"expires,omitempty"`
	Revoked string   `json:"revoked,omitempty"`
	State   string   `json:"state"`
	Key     string   `json:"key,omitempty"`
}

type protectionJSON struct {
	Prompts string `json:"prompts"`
	Label   string `json:"label"`
}

func keyOf(k *keys.Key, now time.Time) keyJSON {
	j := keyJSON{ID: k.ID, Name: k.Name, Role: string(k.Role), Prompts: k.Prompts, Labels: k.Labels, Created: stet.FormatTime(k.Created), State: stateLive}
	if !k.Expires.IsZero() {
		j.Expires = stet.FormatTime(k.Expires)
	}
	switch {
	case !k.Revoked.IsZero():
		j.Revoked, j.State = stet.FormatTime(k.Revoked), stateRevoked
	case !k.Live(now):
		j.State = stateExpired
	}
	return j
}

// expiry parses when a key expires: after a time (90d or 12h), at the beginning of a day
// in the local time zone, or at an instant.
func expiry(now time.Time, s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t, nil
	}
	if d, ok := span(s); ok && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, stet.Errorf(stet.CodeInvalid, "--expires is %q, which is not a time. Write how long it is good for, 90d, 12h or 4w, or when it ends, 2027-01-31 or 2027-01-31T12:00:00Z.", s)
}

// keyNames returns the names of the keys that can be revoked, for completion.
func (a *app) keyNames() (names []string) {
	file, err := a.flags.Ring.file(a)
	if err != nil {
		return nil
	}
	f, _, err := keys.Read(file)
	if err != nil {
		return nil
	}
	for i := range f.Keys {
		if f.Keys[i].Revoked.IsZero() {
			names = append(names, f.Keys[i].Name)
		}
	}
	return names
}
