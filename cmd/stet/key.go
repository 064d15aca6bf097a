package main

import (
	"cmp"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/internal/term"
)

// keyCmd has the verbs for the keys of a server. They change the file that the server
// reads, and need neither the server nor the store.
type keyCmd struct {
	Keys string `env:"STET_KEYS" placeholder:"FILE" help:"The file of the keys (beside the store, if there is one: FILE.keys)."`

	Create    keyCreateCmd    `cmd:"" help:"Make a key, and print it: it is never shown again."`
	List      keyListCmd      `cmd:"" help:"List the keys, and what is protected."`
	Revoke    keyRevokeCmd    `cmd:"" help:"Revoke a key, so that the server refuses it."`
	Protect   keyProtectCmd   `cmd:"" help:"Keep writers from moving a label."`
	Unprotect keyUnprotectCmd `cmd:"" help:"Let writers move a label again."`
}

func (*keyCmd) Help() string {
	return `Examples:

    stet key create ana --role admin
    stet key create ci --role writer --prompts 'support/*' --expires 90d
    stet key create release --role promoter --prompts 'support/*' --labels production
    stet key create app --role reader --prompts support/triage --prompts support/reply
    stet key protect --prompts 'support/*' --label production
    stet key revoke ci

A reader reads. A writer also saves, deletes, and moves the labels that are not
protected. A promoter reads, and moves the labels of its key. An admin does everything,
and with every prompt (*) also clear, verify, backup, export and replay.

A running server sees a change within seconds. The keys are in a file, which has only their
hashes: a key that is lost cannot be shown again. Revoke it, and create another.`
}

// file returns the path of the key file.
func (c *keyCmd) file(a *app) (string, error) {
	if file := cmp.Or(c.Keys, defaultKeys(a.flags.Store)); file != "" {
		return file, nil
	}
	return "", stet.Errorf(stet.CodeInvalid, "for %s it is not known where the keys are: a server has them in a file. Name it with --keys or STET_KEYS, on the server's machine.", redacted(a.flags.Store))
}

// updateKeys changes the key file.
func (a *app) updateKeys(change func(f *keys.File) error) error {
	file, err := a.flags.Ring.file(a)
	if err != nil {
		return err
	}
	return keys.Update(a.ctx, file, change)
}

type keyCreateCmd struct {
	Name    string   `arg:"" help:"Who uses the key: the author of what is done with it."`
	Role    string   `required:"" placeholder:"ROLE" help:"reader, writer, promoter or admin."`
	Prompts []string `sep:"none" placeholder:"PATTERN" help:"An id, a prefix such as support/*, or * for all. May be given more than once. An admin has all if none is given."`
	Labels  []string `placeholder:"LABEL,…" help:"The labels that a promoter may move."`
	Expires string   `placeholder:"WHEN" help:"When the key ends: after a time (90d, 12h), or on a day (2027-01-31). Never, if not given."`
}

func (*keyCreateCmd) Help() string {
	return `Examples:

    stet key create ana --role admin
    stet key create ci --role writer --prompts 'support/*' --expires 90d
    stet key create release --role promoter --prompts '*' --labels production,staging
    export STET_KEY=$(stet key create app --role reader --prompts support/triage)

Standard output has the key and nothing else. A running server accepts it within seconds.
For what the roles may do see stet key --help.`
}

func (c *keyCreateCmd) Run(a *app) error {
	now := time.Now()
	k := keys.Key{Name: c.Name, Role: keys.Role(c.Role), Prompts: c.Prompts, Labels: c.Labels}
	if len(k.Prompts) == 0 && k.Role == keys.Admin {
		k.Prompts = []string{keys.Every}
	}
	var err error
	if c.Expires != "" {
		if k.Expires, err = expiry(now, c.Expires); err != nil {
			return err
		}
	}
	secret := ""
	if err := a.updateKeys(func(f *keys.File) (err error) {
		k, secret, err = f.Create(k, now)
		return err
	}); err != nil {
		return err
	}
	if a.flags.JSON {
		j := keyOf(&k, now)
		j.Key = secret
		return a.json(j)
	}
	if err := a.println(secret); err != nil {
		return err
	}
	a.say("This is the key of " + term.Line(k.Name) + ". It is shown only now: put it where it is used, as STET_KEY or Authorization: Bearer KEY.")
	return nil
}

type keyRevokeCmd struct {
	Key string `arg:"" name:"ID|NAME" help:"The key, by its id or its name."`
}

func (*keyRevokeCmd) Help() string {
	return `Examples:

    stet key revoke ci
    stet key revoke 4f7Qz1Lb          # by its id, as stet key list prints it

A running server refuses the key, and ends its streams, within 5 seconds. The key
stays in the list, as revoked.`
}

func (c *keyRevokeCmd) Run(a *app) error {
	now := time.Now()
	var k keys.Key
	if err := a.updateKeys(func(f *keys.File) (err error) {
		k, err = f.Revoke(c.Key, now)
		return err
	}); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.json(keyOf(&k, now))
	}
	return a.println("revoked " + term.Line(k.Name) + " (" + k.ID + ")")
}

// protection has the flags that name a protected label.
type protection struct {
	Prompts string `required:"" placeholder:"PATTERN" help:"An id, a prefix such as support/*, or * for all."`
	Label   string `required:"" placeholder:"LABEL" help:"The label."`
}

func (p protection) keys() keys.Protection {
	return keys.Protection{Prompts: p.Prompts, Label: p.Label}
}

type keyProtectCmd struct{ protection }

func (*keyProtectCmd) Help() string {
	return `Example:

    stet key protect --prompts 'support/*' --label production

Writers can then not move the label on these prompts, and not delete there by force, which
could remove the label. Admins can, and promoters whose keys name the label can move it.`
}

func (c *keyProtectCmd) Run(a *app) error {
	fresh := false
	if err := a.updateKeys(func(f *keys.File) (err error) {
		fresh, err = f.Protect(c.keys())
		return err
	}); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.json(protectionJSON(c.keys()))
	}
	if !fresh {
		return a.println(term.Line(c.keys().String()) + " is protected already")
	}
	return a.println("protected " + term.Line(c.keys().String()))
}

type keyUnprotectCmd struct{ protection }

func (*keyUnprotectCmd) Help() string {
	return `Example:

    stet key unprotect --prompts 'support/*' --label production

The pattern and the label are those that were protected: stet key list --protected.`
}

func (c *keyUnprotectCmd) Run(a *app) error {
	if err := a.updateKeys(func(f *keys.File) error { return f.Unprotect(c.keys()) }); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.json(protectionJSON(c.keys()))
	}
	return a.println("not protected any more: " + term.Line(c.keys().String()))
}
