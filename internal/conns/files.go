package conns

import "github.com/stet-dev/stet"

const (
	// DefaultMost is how many connections are open at once where the system allows a
	// program enough files. With half a header sent on each they take some 200 MB. Over
	// HTTP/2 many more clients can share them.
	DefaultMost = 4096
	// maxReserve is how many files are kept for other uses than connections from
	// elsewhere: half for connections of the private socket, the rest for the store, its
	// readers and backups, and the keys.
	maxReserve = 512
	// plenty stands for the number of files where the system has no limit.
	plenty = 1 << 20
)

// Bounds are how many connections a server may have.
type Bounds struct {
	Most    int // in all, without the private socket
	Each    int // from one address
	Private int // through the private socket
}

// Within returns the bounds for a program that may have so many files open: with as many
// connections as were asked for, or, for 0, with DefaultMost or as many as fit. It fails
// as invalid if they do not fit.
func Within(files, asked int) (Bounds, error) {
	reserve := min(files/4, maxReserve)
	room := max(files-reserve, 1)
	switch {
	case asked > room:
		return Bounds{}, stet.Errorf(stet.CodeInvalid, "%d connections do not fit: the system lets the server have %d files open (ulimit -n), and %d of them are kept for the store, the keys and the private socket. Give at most %d, or raise that limit.", asked, files, reserve, room)
	case asked == 0:
		asked = min(DefaultMost, room)
	}
	return Bounds{Most: asked, Each: (asked + 1) / 2, Private: max(reserve/2, 1)}, nil
}
