package open

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/internal/dbfile"
	"github.com/stet-dev/stet/internal/filelock"
	"github.com/stet-dev/stet/internal/socket"
	"github.com/stet-dev/stet/sqlite"
)

// lookEvery is how often a file that somebody else has open is looked at: a server
// that has just been started listens a moment after it has locked the file.
const lookEvery = 50 * time.Millisecond

// openShared opens a file, or, while a server has it open, goes through that
// server's private socket.
func openShared(ctx context.Context, path string, o *Options) (*stet.Store, error) {
	beside, err := dbfile.SocketPath(path)
	if err != nil {
		return nil, err
	}
	var waited time.Duration
	for {
		step := sqlite.Options{Options: o.Options}
		if waited > 0 {
			step.Wait = min(lookEvery, o.Wait-waited)
		}
		opened, err := sqlite.Open(ctx, path, &step)
		var held *filelock.HeldError
		switch {
		case err == nil:
			return opened, nil
		case !errors.As(err, &held):
			return nil, err
		}
		s, serr := throughServer(ctx, beside)
		if serr != nil {
			return nil, serr
		}
		if s != nil {
			o.Running(held.Holder.PID)
			return s, nil
		}
		if waited == 0 && o.Wait > 0 && o.Waiting != nil {
			o.Waiting(held.Holder.String())
		}
		if waited += max(step.Wait, 1); waited >= o.Wait || ctx.Err() != nil {
			return nil, err
		}
	}
}

// Served reports whether a server on this machine has the store in the file path open,
// and lets other programs of this user use it.
func Served(ctx context.Context, path string) bool {
	beside, err := dbfile.SocketPath(path)
	return err == nil && listens(ctx, beside)
}

// listens reports whether a process listens on a socket. What a server left that was
// killed is there, and nobody listens.
func listens(ctx context.Context, path string) bool {
	if socket.Check(path) != nil {
		return false // nothing, or not this user's
	}
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// throughServer returns the store behind a socket, nil if nobody listens there.
func throughServer(ctx context.Context, path string) (*stet.Store, error) {
	if !listens(ctx, path) {
		return nil, nil // a client would ask again and again
	}
	s, err := client.Open(ctx, "unix:"+path, nil)
	if stet.CodeOf(err) == stet.CodeUnavailable && ctx.Err() == nil {
		return nil, nil // dead, or about to be
	}
	return s, err
}
