package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/internal/near"
)

// An access is what one request may do: everything, or what its key allows.
type access struct {
	// grant is what the key allows; nil for everything.
	grant *keys.Grant
	// open is done once there are keys, for a request that needed none when it began.
	open context.Context
	// id is the commit's id in the store, and given the id as the caller gave it, once
	// commit has set both.
	id, given string
}

// everything is the access of a request that needs no key.
var everything = &access{}

// access returns what a request may do: everything if there are no keys or it came through
// a private socket, otherwise what the key allows that it shows in one header
// Authorization: Bearer KEY. The error is unauthorized.
//
// Without keys, only requests from this machine are answered, even if the server listens
// on another address by mistake.
func (s *Server) access(r *http.Request) (*access, error) {
	if isPrivate(r) {
		return everything, nil
	}
	if s.o.Keys == nil || s.o.Keys.Open() {
		if !onLoopback(r) {
			return nil, stet.Errorf(stet.CodeUnauthorized, "there are no keys, and without one only this machine is answered. Make a key on the server: stet key create")
		}
		return s.keyless, nil
	}
	secret, err := bearer(r)
	if err != nil {
		return nil, err
	}
	g, err := s.o.Keys.Authenticate(secret)
	if err != nil {
		return nil, err
	}
	return &access{grant: g}, nil
}

type privateKey struct{}

// Private marks the connections of a private socket, which only the store's owner
// can open: it is for [http.Server.ConnContext]. Their requests need no key, may
// do everything, name their author themselves, and have no limit of the rate.
func Private(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, privateKey{}, true)
}

// isPrivate reports whether a request came through a private socket.
func isPrivate(r *http.Request) bool { return r.Context().Value(privateKey{}) != nil }

// onLoopback reports whether a request came to a loopback address, or was made by the
// program itself, without a connection.
func onLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true
	}
	if tcp, ok := local.(*net.TCPAddr); ok { // as it is nearly always; its text would be made at every request
		return tcp.IP.IsLoopback()
	}
	a, err := netip.ParseAddrPort(local.String())
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// bearer returns the key that a request shows.
func bearer(r *http.Request) (string, error) {
	const how = "Send one header Authorization: Bearer KEY, with a key as stet key create has printed it."
	values := r.Header["Authorization"]
	switch len(values) {
	case 0:
		return "", stet.Errorf(stet.CodeUnauthorized, "the request shows no key. %s", how)
	case 1:
		scheme, secret, ok := strings.Cut(values[0], " ")
		if ok && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimLeft(secret, " "), nil
		}
	}
	return "", stet.Errorf(stet.CodeUnauthorized, "the key in the request is malformed. %s", how)
}

// withLifetime returns a context that also ends with the access, for what may take long.
// The caller calls stop when it is done.
func (a *access) withLifetime(ctx context.Context) (_ context.Context, stop func()) {
	life := a.lifetime()
	if life == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	left := context.AfterFunc(life, func() { cancel(a.expiredError()) })
	return ctx, func() { left(); cancel(nil) }
}

// expiredError is the error of a request whose access has ended.
func (a *access) expiredError() error {
	if a.grant == nil {
		return stet.Errorf(stet.CodeUnauthorized, "keys have been made meanwhile, and the request shows none. Nothing changed. Send Authorization: Bearer KEY, with a key as stet key create has printed it.")
	}
	if _, err := a.grant.Now(); stet.CodeOf(err) == stet.CodeUnavailable {
		return err
	}
	return stet.Errorf(stet.CodeUnauthorized, "the key was revoked, has expired or was changed meanwhile. Ask for another, or try again with it.")
}

// lifetime is done when the key is revoked, expires or gets other rights, and, for a
// request without a key, when there are keys. It is nil if the access never ends.
func (a *access) lifetime() context.Context {
	if a.grant != nil {
		return a.grant.Life()
	}
	return a.open
}

// done is closed when the access ends, and with it a stream; it is nil if it never does.
func (a *access) done() <-chan struct{} {
	if life := a.lifetime(); life != nil {
		return life.Done()
	}
	return nil
}

// refresh finds out what the caller may do now: its body may have taken long to arrive.
// The error is unauthorized, or unavailable if the keys cannot be read.
func (a *access) refresh() error {
	if a.grant == nil {
		if expired(a) {
			return a.expiredError()
		}
		return nil
	}
	g, err := a.grant.Now()
	if err == nil {
		a.grant = g
	}
	return err
}

// name returns the name of the key, which is the author of its commits; "" without a key.
func (a *access) name() string {
	if a.grant == nil {
		return ""
	}
	return a.grant.Name()
}

// seesAll reports whether the caller may see every prompt.
func (a *access) seesAll() bool { return a.grant == nil || a.grant.SeesAll() }

// sees reports whether the caller may see a prompt.
func (a *access) sees(id string) bool { return a.grant == nil || a.grant.Sees(id) }

// mayRead fails as forbidden outside the key's prompts, whether or not the prompt exists.
func (a *access) mayRead(id string) error {
	if a.sees(id) {
		return nil
	}
	return a.outside(id)
}

func (a *access) outside(id string) *stet.Error {
	return stet.Errorf(stet.CodeForbidden, "the key %q is not for the prompt %q, but for %s. Nothing changed. Ask for a key that is.", a.name(), id, a.grant.Scope())
}

// mayReadAll fails as forbidden unless the caller may do what concerns the whole store:
// an admin whose key is for every prompt.
func (a *access) mayReadAll() error {
	if a.grant == nil || a.grant.Role() == keys.Admin && a.grant.SeesAll() {
		return nil
	}
	return stet.Errorf(stet.CodeForbidden, "the key %q is a %s's, for %s. What is for the whole store takes an admin's key for every prompt (*). Nothing changed.",
		a.name(), a.grant.Role(), a.grant.Scope())
}

// commit checks every operation of c, makes the key's name its author, and puts the key's
// id before its id. The error is forbidden, with the index of the operation; unauthorized
// if the key was revoked while the request was being sent; or invalid if the id is too
// long.
//
// The store has the id as KEY/ID, so that a key cannot ask for the outcome of another
// key's commit, nor take its id.
func (a *access) commit(c *stet.Commit) error {
	if err := a.refresh(); err != nil || a.grant == nil {
		return err
	}
	for i := range c.Ops {
		if err := a.op(&c.Ops[i]); err != nil {
			err.Op = i
			return err
		}
	}
	c.Author = a.name()
	if c.ID == "" {
		// The store's own would have no key before it when the caller sends it again.
		c.ID = uuid.Must(uuid.NewV7()).String()
	}
	const most = 128 // of the store
	if n := most - len(a.grant.ID()) - 1; len(c.ID) > n {
		return stet.Errorf(stet.CodeInvalid, "the commit's id has %d bytes; with a key %d is the most. Nothing changed.", len(c.ID), n)
	}
	a.given, a.id = c.ID, a.grant.ID()+"/"+c.ID
	c.ID = a.id
	return nil
}

// unscope returns the id of one of the key's own commits as its caller gave it, and every
// other id as it is.
func (a *access) unscope(id string) string {
	if a.grant == nil {
		return id
	}
	return strings.TrimPrefix(id, a.grant.ID()+"/")
}

// own reports whether the commit with an id is the key's.
func (a *access) own(id string) bool {
	return a.grant == nil || strings.HasPrefix(id, a.grant.ID()+"/")
}

// scopeError returns an error as the caller may see it: with the caller's own commit id,
// and without the details of an internal error, which may name other prompts. The cause
// stays in it for the log.
func (a *access) scopeError(err error) error {
	if a == nil || a.grant == nil || err == nil {
		return err
	}
	e, rewrap := stetError(err)
	if e == nil {
		return err
	}
	c := *e
	if c.CommitID == a.id {
		c.CommitID = a.given
	}
	if c.Code == stet.CodeInternal {
		c.Message, c.Err = "the server or its storage is broken. Nothing changed. Tell its operator, whose log says more.", err
		return rewrap(&c)
	}
	if hint := new(near.Hint); !a.grant.SeesAll() && errors.As(c.Err, &hint) {
		// The hint depends on names that the caller may not see.
		c.Message = strings.Replace(c.Message, hint.Error(), "", 1)
	}
	if a.id != "" {
		c.Message = strings.ReplaceAll(c.Message, a.id, a.given)
		quoted, given := strconv.Quote(a.id), strconv.Quote(a.given)
		c.Message = strings.ReplaceAll(c.Message, quoted, given)
	}
	return rewrap(&c)
}

// parentID returns the prompt of a parent, ID@NUMBER.
func parentID(ref string) string {
	id, _, _ := stet.SplitRef(ref)
	return id
}
