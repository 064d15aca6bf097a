package httpapi

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
)

// TestFrames: a connection of HTTP/2 may have no more under way, and send no more
// before anybody reads it, than the server can bear of each of thousands.
func TestFrames(t *testing.T) {
	server := Limits{}.NewServer(http.NotFoundHandler())
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
