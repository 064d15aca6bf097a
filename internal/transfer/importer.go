package transfer

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/stet-dev/stet"
)

// shards is how many lines are written at once: enough to share a sync among
// dozens of them, few enough that their texts fit in memory.
const shards = 64

// copyChanges is how many changes of an export are replayed at once at most; copyBytes of
// their lines are enough, too.
const (
	copyChanges = 1000
	copyBytes   = 4 << 20
)

// An importer writes lines. Those of one prompt keep their order.
type importer struct {
	store *stet.Store
	epoch uint64
	began uint64 // the revision of the clear that began it
	opts  ImportOptions
	ctx   context.Context

	already already

	// Only the reader uses these.
	seen map[string]int // how many lines of a prompt, or equal to a commit, came before
	last int            // the last line that was handed out
	cut  bool           // whether the end of an export is missing

	copies    []stet.Copy // changes of an export that wait to be replayed
	copied    []job       // their lines
	copyBytes int
	copying   bool // some were

	seed    maphash.Seed
	queues  [shards]chan job
	workers sync.WaitGroup
	flying  sync.WaitGroup // lines that were handed out and are not done

	mu      sync.Mutex
	there   map[string]bool // whether a prompt had versions before its first line
	sum     Summary
	prompts map[string]struct{}
	failed  int // the first line that failed, 0 for none
	err     error
	done    []int // the lines that are in the store
}

func (im *importer) start(ctx context.Context) {
	im.ctx, im.seed = ctx, maphash.MakeSeed()
	for i := range im.queues {
		im.queues[i] = make(chan job, 1)
		im.workers.Go(func() {
			for j := range im.queues[i] {
				im.run(j)
				im.flying.Done()
			}
		})
	}
}

// finish waits until all lines that were handed out are done.
func (im *importer) finish() {
	for _, q := range im.queues {
		close(q)
	}
	im.workers.Wait()
	if im.failed > 0 {
		for _, line := range im.done {
			if line > im.failed {
				im.sum.After++
			}
		}
	}
}

// shard writes a line after earlier lines of the same prompt, and beside others.
func (im *importer) shard(id string, j job) {
	im.replay()
	im.flying.Add(1)
	im.queues[maphash.String(im.seed, id)%shards] <- j
}

// alone writes a line after all lines before it and before all after it.
func (im *importer) alone(j job) {
	im.replay()
	im.flying.Wait()
	im.run(j)
}

// run applies a line, unless an earlier one has failed.
func (im *importer) run(j job) {
	if im.failedBefore(j.line) {
		return
	}
	done, err := j.do(im.ctx)
	if err != nil {
		im.fail(j.line, err)
		return
	}
	im.took(j, done)
}

// took counts the result of a line.
func (im *importer) took(j job, done stet.Done) {
	if done.Replayed && done.Revision < im.began {
		im.fail(j.line, stet.Errorf(stet.CodeConflict, "the commit %s is in this store's log already, at revision %d, and the store was cleared after it, at revision %d: it is not carried out again. Import into a new store.",
			done.ID, done.Revision, im.began))
		return
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done = append(im.done, j.line)
	im.sum.Lines++
	for i := range done.Results {
		r := &done.Results[i]
		if r.PromptID != "" {
			im.prompts[r.PromptID] = struct{}{}
		}
		switch {
		case r.Version.IsZero() || r.Digest.IsZero(): // not a save
			if !done.Replayed {
				im.sum.Changes++
			}
		case r.Unchanged:
			im.sum.Unchanged++
		case done.Replayed:
			im.sum.Already++
		default:
			im.sum.Versions++
		}
	}
	if done.Replayed {
		im.sum.Already -= j.gone
	} else {
		im.sum.Versions -= j.gone
	}
}

// fail records why a line could not be imported. Of several lines the first counts.
func (im *importer) fail(line int, err error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.failed == 0 || line < im.failed {
		im.failed, im.err = line, err
	}
}

func (im *importer) failedBefore(line int) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.failed > 0 && im.failed < line
}

func (im *importer) stopped() bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.failed > 0
}
