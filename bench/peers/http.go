package peers

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// served is the number of prompts on a server, all of which are read in turn.
const served = 1024

// servedText is the length of their texts: 1.5 KB.
const servedText = 1536

// The rows' numbers of connections.
const (
	fewConns  = 8
	manyConns = 64
)

// overHTTP returns the rows of the service, in the table's order.
//
// Server and load generator are processes of their own on one machine, and share
// its processors; see child and rawConn. Both sides of a row have the same
// generator, but for etcd, which is used through its own client, as it has no other
// way in: stet is beside it both ways, by raw requests and through its own client.
func overHTTP() []measure {
	var rows []measure
	for _, conns := range []int{fewConns, manyConns} {
		r := &reading{conns: conns}
		rows = append(rows, measure{
			name: fmt.Sprintf("GET …/versions/latest, 1.5 KB, %d connections", conns), peer: "bare handler, the same answer",
			better: atLeast, target: 0.9, stet: r.stet, against: r.bare,
		})
	}
	for _, conns := range []int{fewConns, manyConns} {
		r := &reading{conns: conns, known: true}
		rows = append(rows, measure{
			name: fmt.Sprintf("the same with If-None-Match, %d connections", conns), peer: "bare handler, the same 304",
			better: atLeast, target: 0.9, stet: r.stet, against: r.bare,
		})
	}
	w := &writing{}
	peer := etcdPeer{manyConns}
	rows = append(rows,
		measure{
			name: fmt.Sprintf("POST …/versions, 1 KB, durable, %d connections", manyConns), peer: "bare handler, the same body and answer",
			better: atLeast, target: 0.35, stet: w.stet, against: w.bare,
		},
		measure{
			name: fmt.Sprintf("GET …/versions/latest, %d connections", manyConns), peer: "etcd, linearizable Get",
			better: atLeast, target: 1.2, stet: (&reading{conns: manyConns}).stet, against: peer.gets,
		},
		measure{
			name: fmt.Sprintf("Go client, Get latest, %d goroutines", manyConns), peer: "etcd, linearizable Get",
			better: atLeast, target: 1.0, stet: clientGets, against: peer.gets,
		},
		measure{
			name: fmt.Sprintf("POST …/versions, 1 KB, durable, %d connections", manyConns), peer: "etcd, create if absent",
			better: atLeast, target: 1, stet: (&writing{}).stet, against: peer.creates,
		},
		measure{
			name: fmt.Sprintf("Go client, Save of 1 KB, durable, %d goroutines", manyConns), peer: "etcd, create if absent",
			better: atLeast, target: 1, stet: clientSaves, against: peer.creates,
		})
	return slices.Concat(rows, subscriptions(), hits())
}

// turn is which prompt a worker reads: each begins elsewhere.
func turn(worker, n int) int { return (worker*127 + n) % served }

// plain is value without what JSON would write otherwise, so that a request can be
// put together by copying.
func plain(worker, n, size int) []byte {
	b := value(worker, n, size)
	for i := range b {
		if b[i] == '\n' {
			b[i] = ' '
		}
	}
	return b
}

// A reading is a load of GETs of the latest version.
type reading struct {
	conns  int
	known  bool // the caller has it already and says so
	asks   [][]byte
	header []headerField // of the first answer
	answer []byte        // its body
}

// startFilled starts stet's server with the prompts that are read.
func startFilled(e *env) (*child, error) {
	c, err := e.start(serverSetup{Kind: stetServer})
	if err != nil {
		return nil, err
	}
	s, err := openClient(e.ctx, c.address, manyConns)
	if err != nil {
		return nil, err
	}
	var drafts []draft
	for i, id := range promptIDs(served) {
		drafts = append(drafts, draft{id: id, text: string(plain(i, 0, servedText))})
		if len(drafts) == maxOps || i == served-1 {
			if err := s.commit(e.ctx, drafts, nil); err != nil {
				return nil, cmp.Or(err, s.close())
			}
			drafts = drafts[:0]
		}
	}
	return c, s.close()
}

func (r *reading) stet(e *env) (side, error) {
	c, err := startFilled(e)
	if err != nil {
		return nil, err
	}
	conns, err := e.dialRaws(c.address, r.conns)
	if err != nil {
		return nil, err
	}
	for i, id := range promptIDs(served) {
		path := "/v1/prompts/" + escaped(id) + "/versions/latest"
		ask := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, c.address)
		header, body, err := conns[0].exchange(ask, "200")
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(body, plain(i, 0, servedText)) {
			return nil, fmt.Errorf("GET %s does not give the text: %s", path, body)
		}
		if r.known {
			_, tag, _ := bytes.Cut(header, []byte("\r\nEtag: "))
			tag, _, _ = bytes.Cut(tag, []byte("\r\n"))
			ask = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nIf-None-Match: %s\r\n\r\n", path, c.address, tag)
			if header, body, err = conns[0].exchange(ask, "304"); err != nil {
				return nil, err
			}
		}
		if i == 0 {
			r.header, r.answer = headerFields(header), slices.Clone(body)
		}
		r.asks = append(r.asks, ask)
	}
	return r.side(e, c, conns), nil
}

// bare sends the same requests, byte for byte, to a bare handler.
func (r *reading) bare(e *env) (side, error) {
	kind := bareGet
	if r.known {
		kind = bareFresh
	}
	c, err := e.start(serverSetup{Kind: kind, Header: r.header, Answer: r.answer})
	if err != nil {
		return nil, err
	}
	conns, err := e.dialRaws(c.address, r.conns)
	if err != nil {
		return nil, err
	}
	return r.side(e, c, conns), nil
}

func (r *reading) side(e *env, c *child, conns []*rawConn) side {
	status := "200"
	if r.known {
		status = "304"
	}
	return requests{server: c, conns: conns, status: status, next: func(worker, n int, _ []byte) []byte {
		return r.asks[turn(worker, n)]
	}}.side(e)
}

// A writing is a load of POSTs that save a version each. Every connection has a
// prompt of its own, whose history grows from lap to lap.
type writing struct {
	header []headerField // of the first answer
	answer []byte        // its body
}

func (w *writing) stet(e *env) (side, error) {
	c, err := e.start(serverSetup{Kind: stetServer})
	if err != nil {
		return nil, err
	}
	conns, err := e.dialRaws(c.address, manyConns)
	if err != nil {
		return nil, err
	}
	save := saves()
	header, body, err := conns[0].exchange(save(0, 0, nil), "201")
	w.header, w.answer = headerFields(header), slices.Clone(body)
	return requests{server: c, conns: conns, status: "201", next: save}.side(e), err
}

func (w *writing) bare(e *env) (side, error) {
	c, err := e.start(serverSetup{Kind: bareSave, Header: w.header, Answer: w.answer})
	if err != nil {
		return nil, err
	}
	conns, err := e.dialRaws(c.address, manyConns)
	if err != nil {
		return nil, err
	}
	return requests{server: c, conns: conns, status: "201", next: saves()}.side(e), nil
}

// saves makes requests that save a kilobyte each, no two of which are equal, also
// in different laps. Putting one together is a copy of its parts.
func saves() func(worker, n int, buf []byte) []byte {
	texts, heads, done := make([][]byte, manyConns), make([][]byte, manyConns), make([]int, manyConns)
	const counter = 10
	for i, id := range promptIDs(manyConns) {
		texts[i] = plain(i, 0, kilobyte-counter)
		heads[i] = fmt.Appendf(nil, "POST /v1/prompts/%s/versions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{\"text\":\"",
			escaped(id), len(`{"text":""}`)+kilobyte)
	}
	return func(worker, _ int, buf []byte) []byte {
		done[worker]++
		buf = append(buf, heads[worker]...)
		buf = strconv.AppendInt(buf, int64(1e9+done[worker]), 10)
		buf = append(buf, texts[worker]...)
		return append(buf, `"}`...)
	}
}

func escaped(id string) string { return strings.ReplaceAll(id, "/", "%2F") }

// clientGets reads the latest versions through the Go client.
func clientGets(e *env) (side, error) {
	c, err := startFilled(e)
	if err != nil {
		return nil, err
	}
	s, err := openClient(e.ctx, c.address, manyConns)
	if err != nil {
		return nil, err
	}
	e.onClose(s.close)
	names := refs(promptIDs(served), "latest")
	return func() (sample, error) {
		return timed(e, c, manyConns, func(worker, n int) error { return s.get(e.ctx, names, turn(worker, n), 1) })
	}, nil
}

// clientSaves saves through the Go client.
func clientSaves(e *env) (side, error) {
	c, err := e.start(serverSetup{Kind: stetServer})
	if err != nil {
		return nil, err
	}
	s, err := openClient(e.ctx, c.address, manyConns)
	if err != nil {
		return nil, err
	}
	e.onClose(s.close)
	ids, lap := promptIDs(manyConns), 0
	return func() (sample, error) {
		lap++
		return timed(e, c, manyConns, func(worker, n int) error {
			return s.saveText(e.ctx, ids[worker], string(plain(worker, lap<<20+n, kilobyte)))
		})
	}, nil
}
