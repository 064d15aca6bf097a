// Package lines reads lines of bounded length.
package lines

import (
	"bufio"
	"errors"
	"io"
)

// ErrTooLong is the error for a line over the limit.
var ErrTooLong = errors.New("the line is too long")

// A Reader reads lines. One goroutine uses it.
type Reader struct {
	r    *bufio.Reader
	long []byte // a line that is longer than r's buffer
}

// NewReader returns a Reader of r that reads about size bytes at once.
func NewReader(r io.Reader, size int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, size)}
}

// Next returns the next line, its end included, which is valid until the next call.
// What follows the last line's end is returned with io.EOF, and what came before any
// other error with that error. A line of over limit bytes is ErrTooLong, and is not
// kept in memory.
func (r *Reader) Next(limit int64) ([]byte, error) {
	r.long = r.long[:0]
	for {
		part, err := r.r.ReadSlice('\n')
		if int64(len(r.long)+len(part)) > limit {
			return nil, ErrTooLong
		}
		if err == nil && len(r.long) == 0 {
			return part, nil
		}
		r.long = append(r.long, part...)
		if err != bufio.ErrBufferFull {
			return r.long, err
		}
	}
}
