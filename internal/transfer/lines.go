// Package transfer imports prompts into a store and exports them, as JSON lines.
//
// It writes the log of a store with everything resolved, so numbers, ordinals and label
// histories are the same in another store. It reads such an export, or commits, or drafts.
// An import can be stopped at any point and run again: it adds what is missing, and
// nothing twice.
package transfer

import (
	"bytes"
	"io"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/lines"
)

// MaxLine is the largest line in bytes. A commit holds 8 MiB of texts
// (stet.MaxCommitBytes), and JSON takes six bytes for some characters of one byte.
const MaxLine = 64 << 20

// A lineReader reads lines and counts them.
type lineReader struct {
	r     *lines.Reader
	n     int   // of the last line, from 1
	bytes int64 // up to its end
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: lines.NewReader(r, 256<<10)}
}

// next returns the next line that is not blank, without its end, or io.EOF. The last line
// may lack its end. The line is valid until the next call.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.r.Next(MaxLine)
		l.bytes += int64(len(line))
		switch {
		case err == lines.ErrTooLong:
			l.n++
			return nil, stet.Errorf(stet.CodeTooLarge, "it has over %d MiB, which is the most.", MaxLine>>20)
		case err != nil && (err != io.EOF || len(line) == 0):
			return nil, err
		}
		l.n++
		if l.n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")) // as Windows editors begin a file
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}
