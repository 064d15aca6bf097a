// Package transfer takes prompts into a store and out of it, as JSON lines.
//
// What it writes is the log of a store, settled: numbers, ordinals and label
// histories come out in another store as they were. What it reads is that, or
// commits, or drafts. An import can be stopped at any point and run again: it
// adds what is missing and nothing twice.
package transfer

import (
	"bufio"
	"bytes"
	"io"

	"github.com/stet-dev/stet"
)

// MaxLine is the most bytes of one line: a commit holds 8 MiB of texts
// (stet.MaxCommitBytes), and JSON takes six bytes for some characters of one.
const MaxLine = 64 << 20

// A lineReader reads lines and counts them.
type lineReader struct {
	r     *bufio.Reader
	n     int   // of the last line, from 1
	bytes int64 // up to its end
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 256<<10)}
}

// next returns the next line that is not blank, without its end; io.EOF at the
// end. The line is the caller's.
func (l *lineReader) next() ([]byte, error) {
	for {
		var line []byte
		for {
			part, err := l.r.ReadSlice('\n')
			l.bytes += int64(len(part))
			if len(line)+len(part) > MaxLine {
				l.n++
				return nil, stet.Errorf(stet.CodeTooLarge, "it has over %d MiB, which is the most.", MaxLine>>20)
			}
			line = append(line, part...)
			if err == bufio.ErrBufferFull {
				continue
			}
			if err == io.EOF && len(line) > 0 {
				break // a last line without an end
			}
			if err != nil {
				return nil, err
			}
			break
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
