package httpapi

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/stet-dev/stet"
)

// A hub reads the changes of the store once for all subscribers. Its feed begins with the
// first subscriber and ends with the last.
type hub struct {
	store *stet.Store
	texts bool // changes include the saved versions
	count int  // most events that a feed keeps
	bytes int  // most bytes of them

	mu      sync.Mutex
	feed    *feed // nil without subscribers, and after a feed has failed
	running sync.WaitGroup
	closed  bool
}

func newHub(store *stet.Store, texts bool) *hub {
	return &hub{store: store, texts: texts, count: ringCount, bytes: ringBytes}
}

// join adds a subscriber, which calls leave at the end, and returns the feed. The feed has
// every change after those in the store when join was called, and maybe earlier ones.
func (h *hub) join() (*feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, stet.Errorf(stet.CodeUnavailable, "the server is stopping. Come back in a moment.")
	}
	if h.feed == nil {
		ctx, cancel := context.WithCancel(context.Background())
		tail, err := h.store.Tail(ctx)
		if err != nil {
			cancel()
			return nil, err
		}
		revision := tail.Revision
		f := &feed{
			prefix: h.store.ID() + ".", cancel: cancel, texts: h.texts, ring: make([]*event, h.count), limit: h.bytes,
			oldest: revision + 1, newest: revision, news: make(chan struct{}),
		}
		h.feed = f
		h.running.Go(func() { h.follow(ctx, f, revision) })
	}
	h.feed.subscribers++
	return h.feed, nil
}

// leave removes a subscriber. Each calls it once.
func (h *hub) leave(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.subscribers--; f.subscribers > 0 {
		return
	}
	f.cancel()
	if h.feed == f {
		h.feed = nil
	}
}

// follow publishes the changes after a revision until there are no subscribers.
func (h *hub) follow(ctx context.Context, f *feed, since uint64) {
	defer f.cancel()
	for ch, err := range h.store.Changes(ctx, since, stet.ChangesOptions{Texts: h.texts}) {
		if err == nil {
			err = f.publish(&ch)
		}
		if err != nil {
			h.mu.Lock()
			if h.feed == f {
				h.feed = nil // the next subscriber tries again
			}
			h.mu.Unlock()
			f.fail(err)
			return
		}
	}
}

// close ends the feed, and returns when it does not read the store any more.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	if h.feed != nil {
		h.feed.cancel()
	}
	h.mu.Unlock()
	h.running.Wait()
}

// An event is one change, encoded once for all subscribers. It is immutable.
type event struct {
	revision uint64
	change   stet.Change
	frame    []byte // as it goes into a stream, with id and event
	data     []byte // the change alone, as JSON: a part of frame
}

// newEvent encodes a change. Its id is prefix and the revision.
func newEvent(prefix string, ch *stet.Change) (*event, error) {
	data, err := encode(ch)
	if err != nil {
		return nil, stet.WrapError(err, stet.CodeInternal, "the change at revision %d could not be encoded: %v.", ch.Revision, err)
	}
	e := &event{revision: ch.Revision, change: *ch}
	e.frame = make([]byte, 0, len(prefix)+len(data)+len("id: 18446744073709551615\nevent: change\ndata: \n\n"))
	e.frame = append(e.frame, "id: "...)
	e.frame = append(e.frame, prefix...)
	e.frame = strconv.AppendUint(e.frame, ch.Revision, 10)
	e.frame = append(e.frame, "\nevent: change\ndata: "...)
	at := len(e.frame)
	e.frame = append(e.frame, data...)
	e.data = e.frame[at:len(e.frame):len(e.frame)]
	e.frame = append(e.frame, "\n\n"...)
	return e, nil
}

// removesText reports whether the change may have removed the text of an earlier event.
func (e *event) removesText() bool {
	return slices.ContainsFunc(e.change.Ops, func(op stet.ChangeOp) bool { return op.Delete != nil || op.Clear != nil })
}

// A feed has the newest changes in a ring. Subscribers read events from the ring, and
// older ones from the store.
type feed struct {
	prefix string // of the positions: the store's id and a dot
	cancel context.CancelFunc
	texts  bool

	subscribers int // guarded by the hub's mu

	mu    sync.Mutex
	ring  []*event // the event of a revision is at revision modulo the length
	limit int      // bytes
	bytes int
	// oldest to newest are the revisions in the ring, without a gap: none if
	// oldest is newest+1.
	oldest, newest uint64
	err            error         // why nothing more comes
	news           chan struct{} // closed when something is published, and replaced
}

// publish adds a change, which follows the newest, and wakes all subscribers. The newest
// event is kept however large it is: a commit is bounded.
func (f *feed) publish(ch *stet.Change) error {
	e, err := newEvent(f.prefix, ch)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ch.Revision != f.newest+1 {
		return stet.Errorf(stet.CodeInternal, "the store gave revision %d after %d. Run: stet verify", ch.Revision, f.newest)
	}
	forget := f.texts && e.removesText() // do not serve deleted texts from memory
	for f.oldest <= f.newest && (forget || f.newest-f.oldest+1 >= uint64(len(f.ring)) || f.bytes+len(e.frame) > f.limit) {
		old := &f.ring[f.oldest%uint64(len(f.ring))]
		f.bytes -= len((*old).frame)
		*old = nil
		f.oldest++
	}
	f.ring[e.revision%uint64(len(f.ring))] = e
	f.bytes += len(e.frame)
	f.newest = e.revision
	close(f.news)
	f.news = make(chan struct{})
	return nil
}

// fail ends the feed with an error, and wakes all subscribers.
func (f *feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	close(f.news)
	f.news = make(chan struct{})
}

// A lookup is the result of looking for events in a feed.
type lookup struct {
	n      int             // events put into the buffer
	behind bool            // the next event is not in the ring any more: read the store
	newest uint64          // the newest revision
	news   <-chan struct{} // closed when there is more
	err    error           // why there will never be more
}

// after looks for the events after a revision. A subscriber that finds none waits for
// news. That channel is taken under the same lock, so no event is missed in between.
func (f *feed) after(since uint64, buf []*event) lookup {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := lookup{newest: f.newest, news: f.news}
	switch {
	case since >= f.newest:
		l.err = f.err
	case since+1 < f.oldest:
		l.behind = true
	default:
		for since < f.newest && l.n < len(buf) {
			since++
			buf[l.n] = f.ring[since%uint64(len(f.ring))]
			l.n++
		}
	}
	return l
}
