// Package open opens the store that an address names, for programs that learn at
// run time where their prompts are. A program that knows uses the engine's own
// Open.
package open

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/core"
)

// A scheme is a kind of address.
type scheme struct {
	name string // what stands before the colon
	form string // how an address is written
	open func(ctx context.Context, rest string, o *Options) (*stet.Store, error)
	// file tells whether what follows the colon is the name of a file.
	file bool
}

// Options change how a store is opened. The zero value is good.
type Options struct {
	core.Options
	// Wait is how long to wait for another program that has the store open.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait, with who it is.
	Waiting func(holder string)
	// Running, if not nil, lets a store in a file that a server on this machine has
	// open be used through that server. It is called once if that happens, with
	// the server's process id.
	Running func(pid int)
	// Client is for a store at a server: the key to show, for example.
	Client client.Options
}

// Store opens the store at an address and makes it if it does not exist:
//
//	memory:       in memory, empty, and gone when it is closed
//	sqlite:PATH   an SQLite file; a bare PATH that ends in .db means the same
//	http://HOST:PORT, https://HOST:PORT   a server, which has the store
//	unix:PATH     a server that listens on a Unix socket
//
// An address of another kind is invalid. Options may be nil.
func Store(ctx context.Context, address string, opts *Options) (*stet.Store, error) {
	s, rest, err := parse(address)
	if err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &Options{}
	}
	return s.open(ctx, rest, opts)
}

// Exists tells whether there is a store at an address already. Of a store that is
// not a file it says true: only opening it can tell.
func Exists(address string) (bool, error) {
	s, rest, err := parse(address)
	if err != nil || !s.file {
		return err == nil, err
	}
	if _, err := os.Stat(rest); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, nil // opening it says what else may be wrong
}

// File returns the file that a store at an address is in, false if it is in none.
func File(address string) (path string, ok bool) {
	s, rest, err := parse(address)
	if err != nil || !s.file {
		return "", false
	}
	return rest, true
}

func parse(address string) (*scheme, string, error) {
	name, rest, ok := strings.Cut(address, ":")
	if !ok || len(name) == 1 { // a path, perhaps with a drive letter
		name, rest = "", ""
		if strings.HasSuffix(address, ".db") {
			name, rest = "sqlite", address
		}
	}
	for i := range schemes {
		s := &schemes[i]
		switch {
		case s.name != name:
		case s.file && rest == "":
			return nil, "", stet.Errorf(stet.CodeInvalid, "the store's address %q names no file. Write %s.", address, s.form)
		default:
			return s, rest, nil
		}
	}
	forms := make([]string, len(schemes))
	for i, s := range schemes {
		forms[i] = s.form
	}
	return nil, "", stet.Errorf(stet.CodeInvalid, "%q is not the address of a store. Write one of: %s.", address, strings.Join(forms, ", "))
}
