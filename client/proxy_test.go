package client_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A fault is what a bad network, or something on the way, does to one request.
type fault int

const (
	faultNone   fault = iota
	dropBefore        // the connection goes before the request arrives
	dropAfter         // the request is carried out, and its answer is lost
	lateArrival       // the connection goes, and the request arrives later
	twice             // the request arrives twice at once; the first answer is given
	twiceLate         // the request arrives again when it has been answered
	halfRequest       // the request is cut half way
	halfClosed        // the same, in its one direction: what the server says to that arrives
	halfAnswer        // the answer is cut half way
	slow              // everything takes longer
	badGateway        // something on the way answers instead, after the request arrived
	garbage           // the answer is another one, of the same kind
	faults
)

var faultNames = [faults]string{"none", "dropBefore", "dropAfter", "lateArrival", "twice", "twiceLate", "halfRequest", "halfClosed", "halfAnswer", "slow", "badGateway", "garbage"}

// A proxy passes HTTP requests on to a server, connection by connection, and does
// to them what choose says.
type proxy struct {
	l      net.Listener
	target string
	choose func() fault
	counts [faults]atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
	shut  bool
	work  sync.WaitGroup
}

// random chooses faults for so many of a thousand requests, once it is on.
func random(seed uint64, perMille int, on *atomic.Bool) func() fault {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 0))
	return func() fault {
		mu.Lock()
		defer mu.Unlock()
		if !on.Load() || r.IntN(1000) >= perMille {
			return faultNone
		}
		return 1 + fault(r.IntN(int(faults)-1))
	}
}

// script chooses the given faults, one after the other, and then none.
func script(list ...fault) func() fault {
	var n atomic.Int64
	return func() fault {
		if i := int(n.Add(1)) - 1; i < len(list) {
			return list[i]
		}
		return faultNone
	}
}

func newProxy(target string, choose func() fault) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{l: l, target: strings.TrimPrefix(target, "http://"), choose: choose, conns: map[net.Conn]bool{}}
	p.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !p.hold(c) {
				return
			}
			p.work.Go(func() {
				defer p.drop(c)
				p.serve(c)
			})
		}
	})
	return p, nil
}

func (p *proxy) url() string { return "http://" + p.l.Addr().String() }

// close cuts everything and returns when nothing runs any more.
func (p *proxy) close() error {
	err := p.l.Close()
	p.mu.Lock()
	p.shut = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
	return err
}

func (p *proxy) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

// dial connects to the server.
func (p *proxy) dial() (net.Conn, error) {
	c, err := net.Dial("tcp", p.target)
	if err == nil && !p.hold(c) {
		err = net.ErrClosed
	}
	return c, err
}

// An upstream is a connection to the server, and what reads its answers.
type upstream struct {
	net.Conn
	r *bufio.Reader
}

// serve passes on the requests of one connection until it is cut.
func (p *proxy) serve(c net.Conn) {
	in := bufio.NewReader(c)
	var up *upstream // one for each connection, as long as it is good
	defer func() {
		if up != nil {
			p.drop(up)
		}
	}()
	for {
		req, raw, err := readRequest(in)
		if err != nil {
			return
		}
		f := p.choose()
		p.counts[f].Add(1)
		switch f {
		case dropBefore:
			return
		case lateArrival:
			p.later(raw, req)
			return
		case halfRequest:
			if d, err := p.dial(); err == nil {
				d.Write(raw[:len(raw)-len(raw)/3])
				p.drop(d)
			}
			return
		case halfClosed:
			p.halfClosed(c, raw, req)
			return
		case slow:
			pause()
		case twice:
			p.later(raw, req)
		}
		if up == nil {
			d, err := p.dial()
			if err != nil {
				return
			}
			up = &upstream{d, bufio.NewReader(d)}
		}
		if _, err := up.Write(raw); err != nil {
			return
		}
		resp, err := http.ReadResponse(up.r, req)
		if err != nil {
			return
		}
		switch f {
		case dropAfter:
			return
		case badGateway, garbage:
			readPart(resp.Body, req)
			status := "502 Bad Gateway"
			if f == garbage {
				status = "200 OK"
			}
			io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"login\":true}")
			return
		case halfAnswer:
			text := readPart(resp.Body, req)
			resp.Body = io.NopCloser(bytes.NewReader(text[:len(text)/2]))
			resp.Write(c) // it says how long it should have been
			return
		case slow:
			pause()
		case twiceLate:
			p.later(raw, req)
		}
		if err := resp.Write(c); err != nil || resp.Close || req.Close {
			return
		}
	}
}

// halfClosed sends a request up to the middle of its body and ends the direction that
// it comes in. It passes the answer on.
func (p *proxy) halfClosed(c net.Conn, raw []byte, req *http.Request) {
	d, err := p.dial()
	if err != nil {
		return
	}
	defer p.drop(d)
	d.Write(raw[:len(raw)-int(req.ContentLength+1)/2])
	d.(*net.TCPConn).CloseWrite()
	if resp, err := http.ReadResponse(bufio.NewReader(d), req); err == nil {
		resp.Write(c)
	}
}

// later sends a request to the server a while later, and throws its answer away.
func (p *proxy) later(raw []byte, req *http.Request) {
	if isStream(req) {
		return // which would not end
	}
	p.work.Go(func() {
		pause()
		d, err := p.dial()
		if err != nil {
			return
		}
		defer p.drop(d)
		if _, err := d.Write(raw); err != nil {
			return
		}
		if resp, err := http.ReadResponse(bufio.NewReader(d), req); err == nil {
			io.Copy(io.Discard, resp.Body)
		}
	})
}

func isStream(req *http.Request) bool {
	return strings.Contains(req.Header.Get("Accept"), "event-stream")
}

// readPart reads a part of an answer: the first 64 KiB, or the beginning of a stream,
// which has no end.
func readPart(body io.Reader, req *http.Request) []byte {
	if isStream(req) {
		text := make([]byte, 512)
		n, _ := body.Read(text)
		return text[:n]
	}
	text, _ := io.ReadAll(io.LimitReader(body, 64<<10))
	return text
}

// pause takes some milliseconds: long enough that what comes next is answered first.
func pause() { <-time.After(time.Duration(rand.IntN(8)) * time.Millisecond) }

// readRequest reads a request and returns it also as it was written.
func readRequest(in *bufio.Reader) (*http.Request, []byte, error) {
	req, err := http.ReadRequest(in)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	b.WriteString(req.Method + " " + req.RequestURI + " HTTP/1.1\r\nHost: " + req.Host + "\r\n")
	err = req.Header.Write(&b)
	if req.ContentLength > 0 || req.Method != http.MethodGet {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return req, b.Bytes(), err
}
