package httpapi

import (
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// minCompress is the smallest answer that is compressed. A smaller one fits into two
// packets, as a usual prompt does, and would arrive no sooner.
const minCompress = 2800

// A coding is a way of compressing an answer.
type coding struct {
	name   string
	header []string
	suffix string // of an ETag
	writer func(io.Writer) io.WriteCloser
}

// codings are the codings that the server offers, the best first.
var codings = []*coding{
	{"zstd", []string{"zstd"}, "-zstd", newZstd},
	{"gzip", []string{"gzip"}, "-gzip", newGzip},
}

// negotiate returns the coding that a request prefers, or nil.
func negotiate(values []string) *coding {
	var best *coding
	bestQ, identity := 0.0, 0.0
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			name, q := parseQ(part)
			if strings.EqualFold(name, "identity") {
				identity = q
				continue
			}
			for _, c := range codings {
				if strings.EqualFold(name, c.name) && q > 0 && (q > bestQ || q == bestQ && best != nil && c.name == codings[0].name) {
					best, bestQ = c, q
				}
			}
		}
	}
	if bestQ < identity {
		return nil
	}
	return best
}

// parseQ parses an element of an Accept header: a value and its weight, from 0 to 1.
func parseQ(part string) (what string, q float64) {
	what, rest, _ := strings.Cut(part, ";")
	q = 1
	for p := range strings.SplitSeq(rest, ";") {
		if k, v, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(k, "q") {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || !(f >= 0 && f <= 1) {
				return strings.TrimSpace(what), 0
			}
			q = f
		}
	}
	return strings.TrimSpace(what), q
}

// The writers are pooled: making one takes longer than compressing a prompt.

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // cannot fail: the level is valid
	return w
}}

type gzipWriter struct{ *gzip.Writer }

func newGzip(w io.Writer) io.WriteCloser {
	z := gzips.Get().(*gzip.Writer)
	z.Reset(w)
	return gzipWriter{z}
}

// Close ends the stream and returns the writer to the pool, unless a write has failed:
// then the writer may still be in use.
func (w gzipWriter) Close() error {
	err := w.Writer.Close()
	if err == nil {
		w.Reset(nil)
		gzips.Put(w.Writer)
	}
	return err
}

// zstdWindow bounds the memory that a stream takes, here and at the reader.
const zstdWindow = 1 << 20

var zstds = sync.Pool{New: func() any {
	// One goroutine: the answers are small, and the pool may drop a writer without
	// leaving goroutines behind.
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(zstdWindow)) // cannot fail: the options are valid
	return w
}}

type zstdWriter struct{ *zstd.Encoder }

func newZstd(w io.Writer) io.WriteCloser {
	z := zstds.Get().(*zstd.Encoder)
	z.Reset(w)
	return zstdWriter{z}
}

// Close ends the stream and returns the writer to the pool, as gzipWriter.Close does.
func (w zstdWriter) Close() error {
	err := w.Encoder.Close()
	if err == nil {
		w.Reset(nil)
		zstds.Put(w.Encoder)
	}
	return err
}
