package lines_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stet-dev/stet/internal/lines"
)

// TestNext reads lines shorter and longer than the buffer, and what follows the last end.
func TestNext(t *testing.T) {
	long := strings.Repeat("x", 1000)
	r := lines.NewReader(strings.NewReader("a\r\n\n"+long+"\n"+"cut"), 16)
	for _, want := range []string{"a\r\n", "\n", long + "\n"} {
		if line, err := r.Next(1001); string(line) != want || err != nil {
			t.Errorf("the line is %q, %v; want %q", line, err, want)
		}
	}
	if line, err := r.Next(3); string(line) != "cut" || err != io.EOF {
		t.Errorf("after the last end stands %q, %v", line, err)
	}
	if line, err := r.Next(0); len(line) != 0 || err != io.EOF {
		t.Errorf("at the end stands %q, %v", line, err)
	}
}

// TestNextIsBounded has a line that never ends: no more is read than the limit and a buffer.
func TestNextIsBounded(t *testing.T) {
	far := errors.New("read too far")
	r := lines.NewReader(io.MultiReader(strings.NewReader(strings.Repeat("x", 1000)), iotest.ErrReader(far)), 16)
	if line, err := r.Next(900); line != nil || err != lines.ErrTooLong {
		t.Errorf("a line over the limit is %q, %v", line, err)
	}
	broken := lines.NewReader(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(far)), 16)
	if line, err := broken.Next(900); string(line) != "half" || err != far {
		t.Errorf("where the input breaks off stands %q, %v", line, err)
	}
}
