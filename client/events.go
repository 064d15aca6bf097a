package client

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/stet-dev/stet/internal/lines"
)

// maxEvent bounds one event: it holds the largest commit with its texts, in JSON that
// escapes every byte of them.
const maxEvent = 64 << 20

var errLongEvent = errors.New("an event has over " + strconv.Itoa(maxEvent) + " bytes")

// An event is one of a stream of server-sent events. Its data is valid until the
// next one is read.
type event struct {
	id   string
	name string
	data []byte
}

// An eventReader reads a text/event-stream. One goroutine uses it.
type eventReader struct {
	r     *lines.Reader
	limit int64
	data  []byte
	// retry is how long the server asks clients to wait after the stream has ended,
	// 0 if it does not say.
	retry time.Duration
}

func newEventReader(r io.Reader) *eventReader {
	return &eventReader{r: lines.NewReader(r, 4<<10), limit: maxEvent}
}

// next returns the next event. An event that is cut off is dropped: the error is io.EOF
// or that of the connection.
func (r *eventReader) next() (event, error) {
	var e event
	r.data = r.data[:0]
	fields, left := 0, r.limit
	for {
		line, err := r.r.Next(left)
		switch {
		case errors.Is(err, lines.ErrTooLong):
			return event{}, errLongEvent
		case err != nil:
			return event{}, err // a line without its end may be half of one
		}
		left -= int64(len(line))
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) == 0 {
			if fields == 0 { // comments, retry, or more than one empty line
				left = r.limit
				continue
			}
			if n := len(r.data); n > 0 {
				r.data = r.data[:n-1] // the last line's end
			}
			e.data = r.data
			return e, nil
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "id":
			e.id = string(value)
		case "event":
			e.name = string(value)
		case "data":
			r.data = append(append(r.data, value...), '\n')
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
				r.retry = time.Duration(ms) * time.Millisecond
			}
			continue
		default: // a comment, or a field of a later version
			continue
		}
		fields++
	}
}
