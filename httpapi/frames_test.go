package httpapi

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stet-dev/stet/memory"
)

// TestUntakenAnswers: answers over HTTP/2 that their clients do not take are few, however
// many streams there are, and of whoever shows a key others than those of strangers.
func TestUntakenAnswers(t *testing.T) {
	store, err := memory.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	k := newKeyed(t, store, Options{})
	k.api.limiter.limits[kindUnknown], k.api.limiter.limits[kindUnsent] = 2, 4
	server := NewServer(k.api)
	server.Protocols = new(http.Protocols)
	server.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	defer func() { server.Close(); <-ended }()
	// resets begins requests, none of whose answers are taken, and returns how many of
	// them are ended without.
	resets := func(n, want int, header string) {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		// No window for bodies: SETTINGS_INITIAL_WINDOW_SIZE is 0.
		out := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00")
		for i := range n {
			out = append(out, 0, byte(len(header)>>8), byte(len(header)), 1, 5, 0, 0, 0, byte(2*i+1))
			out = append(out, header...)
		}
		if _, err := c.Write(out); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < want; {
			head := make([]byte, 9)
			if _, err := io.ReadFull(c, head); err != nil {
				t.Fatalf("%d of %d requests are ended: %v", got, want, err)
			}
			if _, err := io.CopyN(io.Discard, c, int64(head[0])<<16|int64(head[1])<<8|int64(head[2])); err != nil {
				t.Fatal(err)
			}
			if head[3] == 3 { // RST_STREAM
				got++
			}
		}
	}
	literal := func(name, value string) string { // of less than 127 bytes
		return "\x00" + string(rune(len(name))) + name + string(rune(len(value))) + value
	}
	// :method GET, :scheme http, :authority and :path as they are.
	get := func(path string) string {
		return "\x82\x86\x01\x09localhost\x04" + string(rune(len(path))) + path
	}
	resets(5, 3, get("/healthz"))
	resets(3, 3, get("/openapi.yaml"))
	resets(2, 2, get("/v1/prompts"))
	key := get("/v1/prompts") + literal("authorization", "Bearer "+k.keys["reader of *"])
	resets(5, 3, key) // half of the bound is one key's
	await(t, func() bool { return k.api.limiter.inHand[kindUnsent].Load() == 2 })
	client := http.Client{Transport: &http.Transport{Protocols: server.Protocols}}
	defer client.CloseIdleConnections()
	req, _ := http.NewRequest("GET", "http://"+l.Addr().String()+"/v1/prompts", nil)
	req.Header.Set("Authorization", "Bearer "+k.keys["writer of *"])
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("another key beside all that: %s", res.Status)
	}
}

// TestFrames: a connection of HTTP/2 may have no more under way, and send no more
// before anybody reads it, than the server can bear of each of thousands.
func TestFrames(t *testing.T) {
	server := NewServer(http.NotFoundHandler())
	server.Protocols = new(http.Protocols)
	server.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	defer func() { server.Close(); <-ended }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	const settings = 4
	if head[3] != settings {
		t.Fatalf("the first frame is of type %d", head[3])
	}
	body := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	got := make(map[uint16]uint32)
	for r := bytes.NewReader(body); r.Len() > 0; {
		var s struct {
			ID    uint16
			Value uint32
		}
		if err := binary.Read(r, binary.BigEndian, &s); err != nil {
			t.Fatal(err)
		}
		got[s.ID] = s.Value
	}
	for id, most := range map[uint16]uint32{3: maxStreams, 4: 256 << 10, 5: 16 << 10, 6: 24 << 10} { // streams, window, frame, header
		if v, ok := got[id]; id != 5 && !ok || v > most {
			t.Errorf("the setting %d is %d (said: %v), and %d is the most", id, v, ok, most)
		}
	}
}
