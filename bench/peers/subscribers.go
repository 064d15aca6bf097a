package peers

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet/bench/report"
)

// subscribers is how many streams of changes are open in the rows about them.
const subscribers = 1000

// Each idle subscriber may take so many bytes of the server's heap and stacks.
const idleBound = 40 << 10

func subscriptions() []measure {
	f := new(fanOut)
	return []measure{
		{
			name: fmt.Sprintf("a durable commit reaches the last of %s subscribers", humanize.Comma(subscribers)), peer: "bare loop, the same event",
			better: atMost, target: 5, stet: f.stet, against: f.bare,
		},
		{
			name: fmt.Sprintf("%s idle subscribers, memory of each", humanize.Comma(subscribers)), peer: "bare handler that waits",
			better: atMost, most: idleBound, unit: report.Bytes, stet: idle(stetServer), against: idle(bareStreams),
		},
	}
}

// A crowd is connections that stay open and get events.
type crowd struct {
	conns []net.Conn
	group sync.WaitGroup
	left  atomic.Int64
	done  chan struct{} // receives when everybody has got an event
}

var (
	beatMark   = []byte("event: beat")
	changeMark = []byte("event: change\n")
	eventEnd   = []byte("\n\n")
)

// gather opens n streams of one server, one after another. Each has got its first
// event when it returns.
func gather(address, path string, n int) (*crowd, error) {
	c := &crowd{done: make(chan struct{}, 1)}
	buf := make([]byte, longestAnswer)
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return c, fmt.Errorf("after %d connections: %w", len(c.conns), err)
		}
		c.conns = append(c.conns, conn)
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", path, address); err != nil {
			return c, err
		}
		for got := 0; ; {
			m, err := conn.Read(buf[got:])
			if err != nil {
				return c, fmt.Errorf("of a stream only %q came: %w", buf[:got], err)
			}
			got += m
			if at := bytes.Index(buf[:got], beatMark); at >= 0 && bytes.Contains(buf[at:got], eventEnd) {
				break
			}
		}
		_ = conn.SetDeadline(time.Time{})
	}
	return c, nil
}

// listen begins to count who gets a change. A change has come when its end has.
func (c *crowd) listen() {
	for _, conn := range c.conns {
		c.group.Go(func() {
			buf, n := make([]byte, 8<<10), 0
			for {
				m, err := conn.Read(buf[n:])
				if err != nil {
					return // closed; a round that misses somebody says so
				}
				n += m
				if _, rest, ok := bytes.Cut(buf[:n], changeMark); ok && bytes.Contains(rest, eventEnd) {
					n = 0
					if c.left.Add(-1) == 0 {
						c.done <- struct{}{}
					}
				} else if !ok && n > len(buf)/2 {
					n = 0 // beats
				}
			}
		})
	}
}

// round waits until everybody has got the event that an act makes.
func (c *crowd) round(act func() error) error {
	c.left.Store(int64(len(c.conns)))
	if err := act(); err != nil {
		return err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-c.done:
		return nil
	case <-late.C:
		return fmt.Errorf("%d of %d subscribers did not get an event", c.left.Load(), len(c.conns))
	}
}

func (c *crowd) close() error {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.group.Wait()
	return nil
}

// A fanOut is a load of commits, each of which is made when the one before has
// reached everybody. The time is from before the request that makes it until the
// last subscriber has read all of the event.
//
// On the other side the request's body is the event's bytes, which the handler
// writes to its connections. So both begin with one request, and stet's commit, its
// sync, its encoding and its waking up of a thousand goroutines are in the ratio.
type fanOut struct{ event []byte }

func (f *fanOut) stet(e *env) (side, error) {
	c, err := e.start(serverSetup{Kind: stetServer})
	if err != nil {
		return nil, err
	}
	save := saves()
	act, err := e.poster(c, func(buf []byte) []byte { return save(0, 0, buf) })
	if err != nil {
		return nil, err
	}
	if err := f.listenOnce(c, act); err != nil {
		return nil, err
	}
	return e.fan(c, "/v1/changes", act)
}

// listenOnce gets the bytes of one event.
func (f *fanOut) listenOnce(c *child, act func() error) error {
	one, err := gather(c.address, "/v1/changes", 1)
	defer one.close()
	if err == nil {
		err = act()
	}
	if err != nil {
		return err
	}
	buf := make([]byte, longestAnswer)
	_ = one.conns[0].SetDeadline(time.Now().Add(patience))
	for got := 0; ; {
		n, err := one.conns[0].Read(buf[got:])
		if err != nil {
			return fmt.Errorf("of an event only %q came: %w", buf[:got], err)
		}
		got += n
		_, event, _ := bytes.Cut(buf[:got], []byte("\r\n")) // the length of the chunk
		if at := bytes.Index(event, eventEnd); at >= 0 && bytes.Contains(event, changeMark) {
			f.event = slices.Clone(event[:at+len(eventEnd)])
			return nil
		}
	}
}

func (f *fanOut) bare(e *env) (side, error) {
	c, err := e.start(serverSetup{Kind: bareStreams})
	if err != nil {
		return nil, err
	}
	post := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", c.address, len(f.event), f.event)
	act, err := e.poster(c, func([]byte) []byte { return post })
	if err != nil {
		return nil, err
	}
	return e.fan(c, "/", act)
}

// poster returns a function that makes a request over a connection of its own; next
// may use the buffer.
func (e *env) poster(c *child, next func(buf []byte) []byte) (func() error, error) {
	conns, err := e.dialRaws(c.address, 1)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 0, 4<<10)
	return func() error {
		_, _, err := conns[0].exchange(next(buf[:0]), "201")
		return err
	}, nil
}

func (e *env) fan(c *child, path string, act func() error) (side, error) {
	all, err := gather(c.address, path, subscribers)
	e.onClose(all.close)
	if err != nil {
		return nil, err
	}
	all.listen()
	return func() (sample, error) {
		return timed(e, c, 1, func(_, _ int) error { return all.round(act) })
	}, nil
}

// idle measures how much more a server has of heap and stacks with idle subscribers
// than without, in a new process each lap. What the other ends of the connections
// take is in this process, and not counted; nor is what the kernel takes for either.
func idle(kind serverKind) opener {
	path := "/"
	if kind == stetServer {
		path = "/v1/changes"
	}
	return func(e *env) (side, error) {
		return func() (took sample, err error) {
			c, err := e.startOwn(serverSetup{Kind: kind})
			if err != nil {
				return took, err
			}
			defer func() { err = cmp.Or(err, c.stop()) }()
			// What the first requests and the first stream make stays there.
			few, err := gather(c.address, path, 10)
			if err = cmp.Or(err, few.close()); err != nil {
				return took, err
			}
			before, err := c.memory()
			if err != nil {
				return took, err
			}
			all, err := gather(c.address, path, subscribers)
			defer all.close()
			if err != nil {
				return took, err
			}
			after, err := c.memory()
			took.nanos = (after - before) / subscribers
			return took, err
		}, nil
	}
}
