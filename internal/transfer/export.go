package transfer

import (
	"bufio"
	"context"
	"io"

	"github.com/go-json-experiment/json"

	"github.com/stet-dev/stet"
)

// Export writes all that has happened in the store since it was last cleared: a header,
// one resolved change a line with the texts that still live, and an end. It returns the
// number of changes. Progress, if not nil, is called after each change with its revision
// and the last.
func Export(ctx context.Context, store *stet.Store, w io.Writer, progress func(revision, last uint64)) (changes int, err error) {
	tail, err := store.Tail(ctx)
	if err != nil {
		return 0, err
	}
	b := bufio.NewWriterSize(w, 256<<10)
	if err := writeLine(b, Header{format, store.ID(), tail.Epoch, tail.Revision}); err != nil {
		return 0, err
	}
	err = store.Export(ctx, func(c stet.Copy) error {
		if progress != nil {
			progress(c.Change.Revision, tail.Revision)
		}
		changes++
		return writeLine(b, c)
	})
	if err == nil {
		err = writeLine(b, End{format, changes})
	}
	if err == nil {
		err = b.Flush()
	}
	return changes, err
}

func writeLine(w *bufio.Writer, v any) error {
	line, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	w.Write(line)
	return w.WriteByte('\n')
}
