package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// The largest body that a route takes, in bytes. JSON may write one byte as \u001f, which
// has six.
const (
	// DefaultMaxBody has room for the largest commit, escaped, and a megabyte for the
	// rest. No line of an export is larger.
	DefaultMaxBody = 6*stet.MaxCommitBytes + 1<<20
	// maxGetBody has room for the most references that one request may have, escaped.
	maxGetBody = stet.MaxList*(6*(stet.MaxID+1+stet.MaxSelector)+4) + 1<<10
	// maxRenderBody has room for the largest rendered text, and a megabyte for the rest.
	maxRenderBody = content.DefaultRenderLimit + 1<<20
	// maxMoveBody has room to spare for a selector and a number, escaped, or a hash.
	maxMoveBody = 8 << 10
)

// What a body takes in memory, measured with bodies of one kind each. A byte of a text is
// held five times: as received, decoded, in canonical form, as written to the log, and in
// the answer. An element costs the header of a string, a slot in a list or a map, and its
// name in the check for duplicates.
const (
	textCost    = 5
	elementCost = 96
)

// firstRead is how many bytes are reserved for a body before any of it has arrived.
const firstRead = 4 << 10

// hasBody reports whether the request has a body, as far as its headers say.
func (c *call) hasBody() bool { return c.r.ContentLength != 0 }

// body decodes the body, which must be there, into v; see stet.Decode. The body may take
// long to arrive, so the caller's key is checked again afterwards. What the caller was
// allowed before must be checked again by then, too.
func (c *call) body(v any) error {
	raw, err := c.receive("application/json")
	if err != nil {
		return err
	}
	return stet.Decode(bytes.NewBuffer(raw), v)
}

// bodyIfAny is body for a request that may have none. A request without a body must still
// say that it is JSON: a web page can send one to any server without a preflight, but not
// with that header.
func (c *call) bodyIfAny(v any) error {
	if c.hasBody() {
		return c.body(v)
	}
	if c.r.Method == http.MethodDelete {
		return nil // a page cannot send it without a preflight
	}
	return c.mediaType("application/json")
}

// receive returns the body when all of it has arrived and there is room to work on it.
// While the body arrives the request does not count as one in hand: a body that arrives a
// byte at a time delays only other requests that are sending theirs.
func (c *call) receive(types ...string) (raw []byte, err error) {
	if err := c.mediaType(types...); err != nil {
		return nil, err
	}
	for _, e := range c.r.Header["Content-Encoding"] {
		if e != "" && e != "identity" {
			return nil, withStatus(http.StatusUnsupportedMediaType, stet.CodeInvalid, "the body is encoded as %q. Send it without an encoding.", e)
		}
	}
	most := min(c.route.body, c.s.o.MaxBody)
	if c.r.ContentLength > most {
		return nil, stet.Errorf(stet.CodeTooLarge, "the body has %d bytes; %d is the most here. Split it.", c.r.ContentLength, most)
	}
	st := c.reservation()
	full, err := st.whileWaiting(kindBody, func() error {
		raw, err = c.read(most)
		return err
	})
	if full {
		c.countRefusal("in_hand")
	}
	if err != nil {
		return nil, err
	}
	text, elements := estimate(raw)
	if text > stet.MaxCommitBytes+1<<20 && c.route.body == DefaultMaxBody {
		return nil, stet.Errorf(stet.CodeTooLarge, "the texts in the body have %d bytes; a commit may have %d. Split it.", text, stet.MaxCommitBytes)
	}
	if err := st.reserveWork(c.ctx(), int64(textCost*text+elementCost*elements)); err != nil {
		c.countRefusal("work")
		return nil, err
	}
	return raw, c.a.refresh()
}

// read reads the body into memory. It reserves twice what has arrived, never what is only
// announced.
func (c *call) read(most int64) ([]byte, error) {
	in := &body{Reader: http.MaxBytesReader(c.w, c.r.Body, most), chunked: len(c.r.TransferEncoding) > 0}
	st := c.reservation()
	if c.r.ContentLength >= 0 {
		most = c.r.ContentLength
	}
	var raw []byte
	var one [1]byte // finds the end of a body that fills raw
	for {
		into := raw[len(raw):cap(raw)]
		if len(into) == 0 {
			into = one[:]
		}
		n, err := in.Read(into)
		if n > 0 && len(raw) == cap(raw) {
			room := min(max(firstRead, 2*cap(raw)), int(most))
			if err := c.hold(int64(room)); err != nil {
				return nil, err
			}
			more := make([]byte, len(raw), room)
			copy(more, raw)
			st.releaseBody(int64(cap(raw)))
			raw = append(more, one[0])
		} else {
			raw = raw[:len(raw)+n]
		}
		if err == io.EOF {
			return raw, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// hold reserves bytes for the body, or refuses the request.
func (c *call) hold(bytes int64) error {
	err := c.reservation().holdBody(bytes, min(c.route.body, c.s.o.MaxBody))
	if err != nil {
		c.countRefusal("body_bytes")
		// Otherwise net/http would read the rest of the body.
		c.w.Header().Set("Connection", "close")
	}
	return err
}

// A body reads the body of a request. It tells a body that was cut off from one whose JSON
// has no end: the first is not what its sender meant, so the sender may try again.
type body struct {
	io.Reader
	chunked bool // HTTP/1.1 only
}

// Read implements io.Reader. Its error is unavailable, except for a body that is too large
// or whose chunks are malformed.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	var tooLarge *http.MaxBytesError
	var e *stet.Error
	switch {
	case errors.As(err, &tooLarge):
		err = stet.Errorf(stet.CodeTooLarge, "the body has over %d bytes, which is the most here. Split it.", tooLarge.Limit)
	case !errors.As(err, &e):
		if network := net.Error(nil); !b.chunked || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
			// 408, because the server has not failed.
			err = withStatus(http.StatusRequestTimeout, stet.CodeUnavailable, "the body was cut off: %v. Nothing changed. Send it again.", err)
		} else {
			err = stet.WrapError(err, stet.CodeInvalid, "the chunks of the body are malformed: %v. Nothing changed.", err)
		}
	}
	return n, err
}

// A slowBody is the body of a request. It fails as unavailable if it arrives more slowly
// than allowed.
type slowBody struct {
	io.ReadCloser
	control *http.ResponseController
	grace   time.Duration
	start   time.Time // of the first read
	bytes   int64
	done    bool
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.done {
		return b.ReadCloser.Read(p)
	}
	if b.start.IsZero() {
		b.start = time.Now()
	}
	allowed := b.grace + time.Duration(float64(b.bytes)/minBodyRate*float64(time.Second))
	_ = b.control.SetReadDeadline(b.start.Add(allowed))
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	if err == nil {
		return n, nil
	}
	b.done = true
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, stet.WrapError(err, stet.CodeUnavailable, "the body came too slowly: %d bytes in %.0f s. Nothing changed. Send it faster, or in parts.", b.bytes, allowed.Seconds())
	}
	// From here on a deadline would end the request while it is worked on.
	_ = b.control.SetReadDeadline(time.Time{})
	return n, err
}

// estimate returns how many bytes the strings of a JSON text have once they are decoded,
// and how many elements it has: members, elements of lists, lists and objects. It looks at
// nothing else. What is not JSON has some weight, too.
func estimate(raw []byte) (text, elements int) {
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case ',', ':', '[', '{':
			elements++
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] != '\\' {
					text++
					continue
				}
				if i++; i < len(raw) && raw[i] == 'u' {
					text += escaped(raw[min(i+1, len(raw)):])
					i += 4
				} else {
					text++
				}
			}
		}
	}
	return text, elements
}

// escaped returns how many bytes of UTF-8 the escape \uXXXX becomes: two for half a
// surrogate pair. The digits come first in s.
func escaped(digits []byte) int {
	switch d := strings.ToLower(string(digits[:min(len(digits), 4)])); {
	case d < "0080":
		return 1
	case d < "0800" || d >= "d800" && d < "e000":
		return 2
	}
	return 3
}
