package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/internal/plainjson"
	"github.com/stet-dev/stet/open"
)

// by has the flags of the verbs that commit.
type by struct {
	Author   string `placeholder:"NAME" help:"Who does it (STET_AUTHOR, or your login name)."`
	Message  string `short:"m" placeholder:"TEXT" help:"Why."`
	CommitID string `name:"commit-id" placeholder:"ID" help:"Do it only once, however often it is sent with this id."`
}

// lockWait is how long a command waits for another that has the store open. All but a
// server or a large import are done by then. Tests shorten it.
var lockWait = 10 * time.Second

// read calls f with the store, which must exist: a verb that only reads must not leave an
// empty store in a directory that was named by mistake.
func (a *app) read(f func(ctx context.Context, s *stet.Store) error) error {
	ok, err := open.Exists(a.flags.Store)
	if err != nil {
		return err
	}
	if !ok {
		return stet.Errorf(stet.CodeNotFound, "there is no store %s. stet save makes it, and so does stet import; to use another, name it with --store or STET_STORE.", a.flags.Store)
	}
	return a.write(f)
}

// write calls f with the store, which is made if it does not exist.
func (a *app) write(f func(ctx context.Context, s *stet.Store) error) error {
	s, err := open.Store(a.ctx, a.flags.Store, &open.Options{
		Wait:    lockWait,
		Waiting: a.waiting,
		Running: a.running,
		Client:  a.client(),
	})
	if err != nil {
		return err
	}
	err = f(a.ctx, s)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	return err
}

// client returns the options for a client of a server.
func (a *app) client() client.Options { return client.Options{Key: a.flags.Key} }

// running reports through which server a store is used that is open there.
func (a *app) running(pid int) { a.say(fmt.Sprintf("using the running server, pid %d", pid)) }

// waiting reports for whom a command waits.
func (a *app) waiting(holder string) { a.say("waiting for " + holder + " …") }

// commit applies one operation to a store that exists.
func (a *app) commit(b by, op stet.Op) (stet.Done, error) {
	var done stet.Done
	err := a.read(func(ctx context.Context, s *stet.Store) (err error) {
		done, err = b.commit(ctx, s, op)
		return err
	})
	return done, err
}

func (b by) commit(ctx context.Context, s *stet.Store, op stet.Op) (stet.Done, error) {
	if b.Author == "" {
		b.Author = defaultAuthor()
	}
	return s.Commit(ctx, stet.Commit{ID: b.CommitID, Author: b.Author, Message: b.Message, Ops: []stet.Op{op}})
}

// json prints v as one line of JSON.
func (a *app) json(v any) error {
	line, err := plainjson.Marshal(v)
	if err != nil {
		return err
	}
	return a.out.JSON(line)
}

// done prints what a commit did: as JSON, or in the words of say.
func (a *app) done(d stet.Done, say func(r *stet.Result) string) error {
	if a.flags.JSON {
		return a.json(d)
	}
	s := say(&d.Results[0])
	if d.Replayed {
		s += " (done before, by the same commit id)"
	}
	return a.println(s)
}

// println prints a line of visible text.
func (a *app) println(s string) error {
	a.out.WriteString(s)
	return a.out.WriteByte('\n')
}

// value returns a flag's value, which may be @FILE.
func (a *app) value(s string) (string, error) {
	name, isFile := strings.CutPrefix(s, "@")
	if !isFile || strings.HasPrefix(name, "@") { // @@ stands for @
		return name, nil
	}
	b, err := a.readAll(name)
	return string(b), err
}

// isMissing reports whether an error says that something does not exist.
func isMissing(err error) bool {
	var e *stet.Error
	return errors.As(err, &e) && e.Code == stet.CodeNotFound
}
