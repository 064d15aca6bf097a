package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
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
	r     *bufio.Reader
	limit int
	data  []byte
	// retry is how long the server asks clients to wait after the stream has ended,
	// 0 if it does not say.
	retry time.Duration
}

func newEventReader(r io.Reader) *eventReader {
	return &eventReader{r: bufio.NewReaderSize(r, 4<<10), limit: maxEvent}
}

// next returns the next event. An event that is cut off is dropped: the error is io.EOF
// or that of the connection.
func (r *eventReader) next() (event, error) {
	var e event
	r.data = r.data[:0]
	lines, size := 0, 0
	for {
		line, err := r.line(&size)
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if lines == 0 { // comments, retry, or more than one empty line
				size = 0
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
		lines++
	}
}

// line returns the next line without its end. It is valid until the next call. size
// counts the bytes of the event so far.
func (r *eventReader) line(size *int) ([]byte, error) {
	var long []byte
	for {
		part, err := r.r.ReadSlice('\n')
		if *size += len(part); *size > r.limit {
			return nil, errLongEvent
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
			continue
		case err != nil:
			return nil, err // a line without its end may be half of one
		case long != nil:
			part = append(long, part...)
		}
		part = part[:len(part)-1]
		return bytes.TrimSuffix(part, []byte("\r")), nil
	}
}
