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

// The most bytes that the body of a route may have. JSON may write a byte as \u001f,
// which is six.
const (
	// DefaultMaxBody is what a commit may hold, escaped, and a megabyte for the rest. A
	// line of an export is no larger.
	DefaultMaxBody = 6*stet.MaxCommitBytes + 1<<20
	// maxGetBody is what the most references of one request have, escaped.
	maxGetBody = stet.MaxList*(6*(stet.MaxID+1+stet.MaxSelector)+4) + 1<<10
	// maxRenderBody is what a rendered text may have, and a megabyte for the rest.
	maxRenderBody = content.DefaultRenderLimit + 1<<20
	// maxMoveBody is a selector and a number, escaped, or a hash, with room to spare.
	maxMoveBody = 8 << 10
)

// What a body becomes in memory, measured with bodies of one kind each: a byte of a text
// is there as it came, as it was decoded, in canonical form, as it goes into the log, and
// in the answer; and an element is the header of a string, a place in a list or a map,
// and its name among those that must not come twice.
const (
	textCost    = 5
	elementCost = 96
)

// firstRead is how much room a body gets before anything of it has come.
const firstRead = 4 << 10

// hasBody reports whether the request has a body, as far as its headers tell.
func (c *call) hasBody() bool { return c.r.ContentLength != 0 }

// body decodes the body, which must be there, into v; see stet.Decode. It may have
// taken long to come, so that the caller's key is looked at again; what was asked of it
// before is asked again then.
func (c *call) body(v any) error {
	raw, err := c.receive("application/json")
	if err != nil {
		return err
	}
	return stet.Decode(bytes.NewBuffer(raw), v)
}

// bodyIfAny is body where there may be none. A browser's page may send a request
// without a body and without a preflight to anybody; it cannot say that it is JSON.
func (c *call) bodyIfAny(v any) error {
	if c.hasBody() {
		return c.body(v)
	}
	if c.r.Method == http.MethodDelete {
		return nil // never without a preflight
	}
	return c.mediaType("application/json")
}

// receive returns the body once all of it is there, and there is room for what becomes
// of it. While it comes the request is not one of those in hand: a body may come a byte
// at a time, and holds up nobody but those whose bodies come as well.
func (c *call) receive(types ...string) (raw []byte, err error) {
	if err := c.mediaType(types...); err != nil {
		return nil, err
	}
	for _, e := range c.r.Header["Content-Encoding"] {
		if e != "" && e != "identity" {
			return nil, withStatus(http.StatusUnsupportedMediaType, stet.CodeInvalid, "the body is encoded as %q. Send it as it is.", e)
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
		return nil, stet.Errorf(stet.CodeTooLarge, "the body has texts of %d bytes together; %d is the most of a commit. Split it.", text, stet.MaxCommitBytes)
	}
	if err := st.reserveWork(c.ctx(), int64(textCost*text+elementCost*elements)); err != nil {
		c.countRefusal("work")
		return nil, err
	}
	return raw, c.a.refresh()
}

// read reads the body into memory. Room is taken for what has come, and as much again,
// and never for what is only announced.
func (c *call) read(most int64) ([]byte, error) {
	in := &body{Reader: http.MaxBytesReader(c.w, c.r.Body, most), chunked: len(c.r.TransferEncoding) > 0}
	st := c.reservation()
	if c.r.ContentLength >= 0 {
		most = c.r.ContentLength
	}
	var raw []byte
	var one [1]byte // the end may be there though there is no room for more
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

// hold takes room for bytes of the body, or refuses the request.
func (c *call) hold(bytes int64) error {
	err := c.reservation().holdBody(bytes, min(c.route.body, c.s.o.MaxBody))
	if err != nil {
		c.countRefusal("body_bytes")
		// A body that nobody reads would be read to its end otherwise.
		c.w.Header().Set("Connection", "close")
	}
	return err
}

// A body is that of a request. It tells one that was cut off from one whose JSON has
// no end: what has come of the first is not what its sender meant, who may send it
// again.
type body struct {
	io.Reader
	chunked bool // as only HTTP/1.1 has it
}

// Read reads. What it fails with is unavailable, but for a body that is too large or
// in broken chunks.
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
			// 408, since it is not the server that failed.
			err = withStatus(http.StatusRequestTimeout, stet.CodeUnavailable, "the body did not come to its end: %v. Nothing changed. Send it again.", err)
		} else {
			err = stet.WrapError(err, stet.CodeInvalid, "the body is not in chunks as HTTP has them: %v. Nothing changed.", err)
		}
	}
	return n, err
}

// A slowBody is the body of a request. It ends, as unavailable, when it comes
// slower than it may.
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
	// While the request is worked on, a deadline would end it.
	_ = b.control.SetReadDeadline(time.Time{})
	return n, err
}

// estimate tells how many bytes the strings of a JSON text have once they are read, and how
// many elements it has: members, elements of lists, lists and objects. It looks at
// nothing else; what is no JSON has some weight, too.
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

// escaped returns how many bytes of UTF-8 become of \uXXXX, of which the digits come
// first: of half a surrogate pair two.
func escaped(digits []byte) int {
	switch d := strings.ToLower(string(digits[:min(len(digits), 4)])); {
	case d < "0080":
		return 1
	case d < "0800" || d >= "d800" && d < "e000":
		return 2
	}
	return 3
}
