package load

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/stet-dev/stet"
)

// acks are the commits that were acknowledged: for each 16 bytes in a file, since in
// memory they would grow beside the store whose memory is watched.
type acks struct {
	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
	err  error
}

// An ack says that the store answered a commit: at which revision, and a hash of
// its id and of the answer.
type ack struct{ revision, hash uint64 }

func newAcks() (*acks, error) {
	f, err := os.CreateTemp("", "stet-acks-")
	if err != nil {
		return nil, err
	}
	return &acks{file: f, w: bufio.NewWriterSize(f, 1<<16)}, nil
}

func (a *acks) add(revision, hash uint64) {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], revision)
	binary.LittleEndian.PutUint64(b[8:], hash)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.w.Write(b[:]); err != nil {
		a.err = err
	}
}

// all returns the acks by revision.
func (a *acks) all() ([]ack, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := errors.Join(a.err, a.w.Flush()); err != nil {
		return nil, err
	}
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(a.file)
	if err != nil {
		return nil, err
	}
	all := make([]ack, 0, len(b)/16)
	for ; len(b) >= 16; b = b[16:] {
		all = append(all, ack{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])})
	}
	slices.SortFunc(all, func(x, y ack) int { return cmp.Compare(x.revision, y.revision) })
	return all, nil
}

func (a *acks) close() {
	a.file.Close()
	os.Remove(a.file.Name())
}

// answered is the hash of what the caller of a commit was told.
func answered(id string, r *stet.Result) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %s %d", id, r.Version, r.Digest, r.Deleted)
	for i := range r.Labels {
		fmt.Fprintf(h, " %s", r.Labels[i].To)
	}
	return h.Sum64()
}

// logged is the same of what stands in the log.
func logged(c *stet.Change) uint64 {
	var r stet.Result
	for i := range c.Ops {
		switch op := &c.Ops[i]; {
		case op.Save != nil:
			r.Version, r.Digest = op.Save.Version, op.Save.Digest
		case op.Delete != nil:
			r.Version, r.Deleted = op.Delete.Version, op.Delete.Deleted
		case op.SetLabel != nil:
			r.Labels = []stet.LabelChange{*op.SetLabel}
		case op.Rollback != nil:
			r.Labels = []stet.LabelChange{*op.Rollback}
		}
	}
	return answered(c.ID, &r)
}

// check holds the log against what was acknowledged, and verifies the store.
func (r *run) check(ctx context.Context, out *Outcome) error {
	acks, err := r.acks.all()
	if err != nil {
		return err
	}
	out.Acknowledged = len(acks)
	next := 0
	for since := r.since; ; {
		page, err := r.store.ChangesPage(ctx, since, stet.ChangesOptions{Limit: 1000})
		if err != nil {
			return err
		}
		if len(page.Items) == 0 {
			break
		}
		for i := range page.Items {
			c := &page.Items[i]
			if since++; c.Revision != since {
				r.problem(fmt.Sprintf("after revision %d the log has %d", since-1, c.Revision))
				since = c.Revision
			}
			for next < len(acks) && acks[next].revision < c.Revision {
				r.problem(fmt.Sprintf("a commit was acknowledged at revision %d and is not there", acks[next].revision))
				next++
			}
			switch {
			case next < len(acks) && acks[next].revision == c.Revision:
				if acks[next].hash != logged(c) {
					r.problem(fmt.Sprintf("revision %d has another commit than the one that was acknowledged there", c.Revision))
				}
				next++
			case strings.HasPrefix(c.ID, r.name):
				r.problem(fmt.Sprintf("revision %d has a commit that was not acknowledged", c.Revision))
			}
		}
	}
	if next < len(acks) {
		r.problem(fmt.Sprintf("%d commits were acknowledged beyond the end of the log", len(acks)-next))
	}
	report, err := r.store.Verify(ctx, stet.VerifyOptions{})
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		r.problem("verify: " + p)
	}
	out.Versions, out.Prompts = report.Versions, report.Prompts
	out.Problems = r.problems
	if out.Problems == nil {
		out.Problems = []string{}
	}
	return nil
}
