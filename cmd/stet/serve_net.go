package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/internal/dbfile"
	"github.com/stet-dev/stet/internal/socket"
	"github.com/stet-dev/stet/internal/term"
)

// keyFile returns the path of the key file, "" if no keys are needed: on this machine,
// without --keys, for a store that has no file. An address that others can reach requires
// a place for keys, and TLS.
func (c *serveCmd) keyFile(a *app, addr net.Addr) (string, error) {
	file := c.Keys
	if file == "" {
		file = defaultKeys(a.flags.Store)
	}
	switch {
	case isLoopback(addr):
	case file == "":
		return "", stet.Errorf(stet.CodeInvalid, "%s can be reached from other machines, so it needs keys, and for %s there is no place to keep them. Name a file with --keys, or listen on 127.0.0.1.",
			c.Listen, redacted(a.flags.Store))
	case c.TLSCert == "" && !c.InsecureHTTP:
		return "", stet.Errorf(stet.CodeInvalid, "%s can be reached from other machines, and keys would pass in the clear. Give --tls-cert and --tls-key, or --insecure-http if something before the server encrypts.", c.Listen)
	}
	return file, nil
}

// ring returns the keys in a file, nil for "". If others can reach the address and there
// are no keys, it makes one and prints it.
func (c *serveCmd) ring(a *app, file string, addr net.Addr, log *slog.Logger) (*keys.Ring, error) {
	if file == "" {
		return nil, nil
	}
	if isLoopback(addr) {
		if _, err := os.Stat(file); c.Keys != "" && errors.Is(err, fs.ErrNotExist) {
			return nil, stet.Errorf(stet.CodeNotFound, "there is no file of keys %s, and without one everybody on this machine may do everything. Make a key: stet key create NAME --role admin --keys %s; or leave --keys out.", file, file)
		}
	} else {
		secret, err := keys.EnsureAdmin(a.ctx, file, time.Now())
		if err != nil {
			return nil, err
		}
		if secret != "" {
			a.say("There were no keys, so this one was made, in " + file + ". It may do everything, and is shown only now:")
			_ = a.println(a.out.Paint(term.Bold, secret))
			_ = a.out.Flush()
			log.Info("an admin key was made", "name", keys.AdminName, "file", file)
		}
	}
	return keys.Open(file, &keys.Options{Log: log})
}

// defaultKeys returns the default path of a store's key file: beside its file, "" if it
// has none.
func defaultKeys(store string) string {
	path, err := sqlitePath(store)
	if err != nil {
		return ""
	}
	return path + ".keys"
}

func isLoopback(addr net.Addr) bool {
	t, ok := addr.(*net.TCPAddr)
	return !ok || t.IP.IsLoopback()
}

// private listens on the socket beside the SQLite file. Where there can be none it returns
// nil, and logs why.
func (c *serveCmd) private(a *app, log *slog.Logger) (net.Listener, error) {
	path, err := sqlitePath(a.flags.Store)
	if err != nil || c.NoSocket {
		return nil, nil // no file
	}
	if path, err = dbfile.SocketPath(path); err != nil {
		return nil, err
	}
	l, err := socket.Listen(path)
	if err == nil {
		return l, nil
	}
	var long *socket.TooLongError
	switch {
	case errors.Is(err, socket.ErrUnsupported):
		log.Info("no private socket: other commands wait for this one, or use --store http://…", "error", err)
	case errors.As(err, &long):
		log.Warn("no private socket: other commands wait for this one, or use --store http://…. A store with a shorter path has one", "error", err)
	default:
		log.Warn("no private socket: other commands wait for this one, or use --store http://…", "error", err)
	}
	return nil, nil
}

// inUse reports whether an address could not be listened on because it is in use.
func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) || isWindowsInUse(err) }

// isWindowsInUse knows WSAEADDRINUSE, which package syscall names on Windows only.
func isWindowsInUse(err error) bool {
	var n syscall.Errno
	return errors.As(err, &n) && n == 10048
}

// isServer reports whether an address is a server's.
func isServer(address string) bool {
	scheme, _, _ := strings.Cut(address, ":")
	return scheme == "http" || scheme == "https" || scheme == "unix"
}

// redacted returns an address without its password.
func redacted(address string) string {
	if !strings.Contains(address, "://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		scheme, _, _ := strings.Cut(address, "://")
		return scheme + "://…"
	}
	return u.Redacted()
}
