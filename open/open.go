// Package open opens a store by its address, for programs that learn at run time where
// their store is. Other programs call the Open of an engine or of package client.
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
	// file reports whether what follows the colon is the name of a file.
	file bool
}

// Options configure Store. The zero value is good.
type Options struct {
	core.Options
	// Wait is how long to wait while another program has the store open.
	Wait time.Duration
	// Waiting, if not nil, is called once before such a wait. holder says which program
	// has the store open.
	Waiting func(holder string)
	// Running, if not nil, allows the use of a file through a server on this machine that
	// has it open. It is called once if that happens, with the server's process id.
	Running func(pid int)
	// Client has the options for a store of a server, such as the key.
	Client client.Options
}

// Store opens the store at an address. It creates a file that does not exist.
//
//	memory:                              a new store in memory, gone when it is closed
//	sqlite:PATH, PATH.db                 an SQLite file
//	http://HOST:PORT, https://HOST:PORT  the store of a server
//	unix:PATH                            the store of a server on a Unix socket
//
// The error for any other address is invalid. Options may be nil.
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

// Exists reports whether there is a file at the address of a store in a file. For all
// other addresses it returns true: only opening the store can tell.
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

// File returns the path of the file that the store at an address is in, and whether it is
// in a file.
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
