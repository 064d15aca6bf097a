package peers

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/stet-dev/stet/bench/report"
)

// A rawConn is a connection to an HTTP server that stays open. It does the least
// that a client can: it writes a request that was made beforehand and reads the
// answer into one buffer. The load generator shares the processors with the server
// it drives, and what it takes of them both sides pay; the less that is, the more of
// the ratio is the handlers'. A heavier one would bring every ratio nearer to 1.
type rawConn struct {
	net.Conn
	buf []byte
	n   int // of buf, what is the last answer
}

// longestAnswer is more than any answer here has with its header.
const longestAnswer = 16 << 10

func dialRaw(address string) (*rawConn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &rawConn{Conn: c, buf: make([]byte, longestAnswer)}, nil
}

var (
	headerEnd     = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
)

// exchange sends a request and reads the answer, which must have the status, three
// digits. It returns header and body, valid until the next call.
func (c *rawConn) exchange(request []byte, status string) (header, body []byte, err error) {
	if _, err := c.Write(request); err != nil {
		return nil, nil, err
	}
	end, all := 0, 0
	for c.n = 0; end == 0 || c.n < all; {
		n, err := c.Read(c.buf[c.n:])
		if err != nil {
			return nil, nil, fmt.Errorf("after %d bytes of an answer: %w", c.n, err)
		}
		c.n += n
		if end == 0 {
			if end = bytes.Index(c.buf[:c.n], headerEnd); end < 0 {
				end = 0
				continue
			}
			end += len(headerEnd)
			if all, err = c.total(end, status); err != nil {
				return nil, nil, err
			}
		}
	}
	if c.n > all {
		return nil, nil, fmt.Errorf("%d bytes came after the answer", c.n-all)
	}
	return c.buf[:end], c.buf[end:all], nil
}

// total is the length of the answer whose header ends at end.
func (c *rawConn) total(end int, status string) (int, error) {
	head := c.buf[:end]
	if got := string(head[len("HTTP/1.1 "):][:3]); got != status {
		return 0, fmt.Errorf("the status is %s and not %s: %s", got, status, c.buf[:c.n])
	}
	at := bytes.Index(head, contentLength)
	if at < 0 {
		if status == "304" {
			return end, nil
		}
		return 0, fmt.Errorf("the answer does not say its length: %s", head)
	}
	digits := head[at+len(contentLength):]
	length, err := strconv.Atoi(string(digits[:bytes.IndexByte(digits, '\r')]))
	if err != nil || length > len(c.buf)-end {
		return 0, fmt.Errorf("the answer's length cannot be: %s", head)
	}
	return end + length, nil
}

// A requests is a load of requests over raw connections, on each of which the next is
// sent when the last is answered.
type requests struct {
	server *child
	conns  []*rawConn
	status string // that every answer must have; another is a failure of the run
	// next returns the worker's n-th request; it may use the worker's buffer.
	next func(worker, n int, buf []byte) []byte
}

// dialRaws opens n connections, which are closed after the row's last lap.
func (e *env) dialRaws(address string, n int) ([]*rawConn, error) {
	conns := make([]*rawConn, n)
	for i := range conns {
		var err error
		if conns[i], err = dialRaw(address); err != nil {
			return nil, err
		}
		e.onClose(conns[i].Close)
	}
	return conns, nil
}

// side is the load as a side.
func (r requests) side(e *env) side {
	bufs := make([][]byte, len(r.conns))
	for i := range bufs {
		bufs[i] = make([]byte, 4<<10)
	}
	return func() (sample, error) {
		for _, c := range r.conns {
			if err := c.SetDeadline(time.Now().Add(e.durableLap() + patience)); err != nil {
				return sample{}, err
			}
		}
		return timed(e, r.server, len(r.conns), func(worker, n int) error {
			_, _, err := r.conns[worker].exchange(r.next(worker, n, bufs[worker][:0]), r.status)
			return err
		})
	}
}

// timed is a lap of so many workers, each of which does one thing after another that
// the server has a part in. What each thing takes is counted, and what of it is the
// server's processor time.
func timed(e *env, server *child, workers int, do func(worker, n int) error) (sample, error) {
	each := make([]report.Histogram, workers)
	before, err := server.used()
	if err != nil {
		return sample{}, err
	}
	own := processorTime()
	took, err := durable(e, workers).run(e.ctx, func(worker, n int) error {
		began := time.Now()
		err := do(worker, n)
		each[worker].Add(time.Since(began))
		return err
	})
	if err != nil {
		return took, err
	}
	own = processorTime() - own
	after, err := server.used()
	took.latency = new(report.Histogram)
	for i := range each {
		took.latency.Merge(&each[i])
	}
	took.processor = float64(after-before) / float64(took.latency.Count())
	took.generator = float64(own) / float64(took.latency.Count())
	return took, err
}
