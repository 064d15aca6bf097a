package httpapi

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/stet-dev/stet"
)

const (
	// freeBytes is how much of an answer is not counted: so much every request in
	// hand may have. Of a stream everything counts.
	freeBytes = 256 << 10
	// leastBuilders is how many large answers are read and put together at once on a
	// machine with few processors; elsewhere it is two a processor. They wait for
	// the storage and for nobody else, so that who is next waits a moment.
	leastBuilders = 4
	// freeWork is what becomes of a body that is not counted: that of a usual prompt.
	freeWork = 64 << 10
	// maxWork is how many bytes may become of bodies at once, of those that are not
	// free: two of the largest commits, or dozens of a megabyte. Others wait.
	maxWork = 96 << 20
)

func builders() int { return max(leastBuilders, 2*runtime.GOMAXPROCS(0)) }

// A stake is what one request has of what all share: its place among those in hand,
// a place to build a large answer, and the bytes of that answer for as long as the
// client takes to read it. Who serves the request calls end. The zero stake is of a
// request that nothing is counted of.
type stake struct {
	g        *gate
	k        kind
	in       bool
	building bool
	bytes    int64
	body     int64 // bytes held of the request's body
	worked   int64 // what becomes of it

	stranger bool // its answer is counted as one for somebody whom nobody knows

	who string // "" before it is known
	sh  *share // of who; nil before
}

// enter takes the request's place, or refuses it as unavailable.
func (s *stake) enter() error {
	if s.g == nil || s.in {
		return nil
	}
	err := s.g.enter(s.k, s.sh)
	s.in = err == nil
	return err
}

func (s *stake) leave() {
	if s.in {
		s.g.leave(s.k, s.sh)
		s.in = false
	}
}

// meet counts an answer over HTTP/2, which need not be taken, as one for somebody whom
// nobody knows, until the end. It fails as unavailable if there are enough of those.
func (s *stake) meet() error {
	if s.stranger {
		return nil
	}
	err := s.g.enter(kindStranger, nil)
	s.stranger = err == nil
	return err
}

// unsent calls flush, which may wait for the client, and whose error is the connection's.
// It fails if too many do, all together or of this caller.
func (s *stake) unsent(flush func() error) error {
	if s.sh == nil {
		if err := s.meet(); err != nil {
			return err
		}
	} else {
		if err := s.g.enter(kindUnsent, s.sh); err != nil {
			return err
		}
		defer s.g.leave(kindUnsent, s.sh)
	}
	_ = flush()
	return nil
}

// own makes the request one of a caller's, whom nobody knew when it came in. It is
// refused as rate_limited if the caller has its share already.
func (s *stake) own(who string) error {
	if s.g == nil || s.sh != nil {
		return nil
	}
	sh := s.g.shares.join(who)
	if err := sh.enter(s.k, s.g.most[s.k]); err != nil {
		s.g.shares.leave(who, sh)
		return err
	}
	s.who, s.sh = who, sh
	return nil
}

// hold takes room for bytes of the request's body. A caller may always have one body of
// the most that the route takes, of which most is there twice
// for a moment, while it is moved to where it has more room.
func (s *stake) hold(bytes, most int64) error {
	if s.g == nil {
		return nil
	}
	if err := s.g.hold(bytes); err != nil {
		return err
	}
	if s.sh != nil {
		if err := s.sh.hold(bytes, max(shareOf(s.g.mostBytes), 2*most)); err != nil {
			s.g.letGo(bytes)
			return err
		}
	}
	s.body += bytes
	return nil
}

func (s *stake) letGo(bytes int64) {
	if s.g == nil || bytes == 0 {
		return
	}
	s.g.letGo(bytes)
	if s.sh != nil {
		s.sh.bytes.Add(-bytes)
	}
	s.body -= bytes
}

// work waits until there is room for what becomes of a body, for as long as a read may
// take. Who has come first is first.
func (s *stake) work(ctx context.Context, most time.Duration, bytes int64) error {
	bytes = min(bytes, maxWork) - s.worked
	if s.g == nil || bytes <= freeWork {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if err := s.g.work.Acquire(ctx, bytes); err != nil {
		return stet.WrapError(err, stet.CodeUnavailable, "the server had no room for what is to be done in %v: it works on as many large requests as it may. Nothing changed. Try again.", most)
	}
	s.worked += bytes
	return nil
}

// aside calls f, which waits for others. Meanwhile the request is one of another kind,
// of those that wait, and its place is free; afterwards it takes one again. Full tells whether it is
// refused because there is none, before or after.
func (s *stake) aside(k kind, f func() error) (full bool, err error) {
	if s.g == nil {
		return false, f()
	}
	if err := s.g.enter(k, s.sh); err != nil {
		return true, err
	}
	s.leave()
	err = func() error {
		defer s.g.leave(k, s.sh)
		return f()
	}()
	if err != nil {
		return false, err // to be told needs no place
	}
	err = s.enter()
	return err != nil, err
}

// build waits for a place to build a large answer. Built gives it back: before
// anything is written, since a client may be slow.
func (s *stake) build(ctx context.Context) error {
	if s.g == nil || s.building {
		return nil
	}
	select {
	case s.g.builds <- struct{}{}:
	case <-ctx.Done():
		return stet.WrapError(context.Cause(ctx), stet.CodeUnavailable, "the answer was not begun in time: %v. Try again.", context.Cause(ctx))
	}
	s.building = true
	return nil
}

func (s *stake) built() {
	if s.building {
		<-s.g.builds
		s.building = false
	}
}

// reserve makes n the bytes that the answer has, and fails as unavailable if all
// answers together would have more than they may; then it has what it had.
func (s *stake) reserve(n int) error {
	more := s.more(n)
	if more > 0 && s.g.answers.Load()+more > s.g.mostAnswers {
		return stet.Errorf(stet.CodeUnavailable, "the answers on their way have %d bytes, and this one would be over the most that the server holds, which is %d. Try again, or ask for less at once.", s.g.answers.Load(), s.g.mostAnswers)
	}
	s.take(more)
	return nil
}

// claim is reserve for the answer to a write, which is not refused any more.
func (s *stake) claim(n int) { s.take(s.more(n)) }

func (s *stake) more(n int) int64 {
	switch {
	case s.g == nil:
		return 0
	case n <= freeBytes && s.k != kindStream:
		n = 0
	}
	return int64(n) - s.bytes
}

func (s *stake) take(more int64) {
	if more != 0 {
		s.g.answers.Add(more)
		s.bytes += more
	}
}

// end gives everything back.
func (s *stake) end() {
	s.built()
	s.take(-s.bytes)
	s.letGo(s.body)
	if s.worked > 0 {
		s.g.work.Release(s.worked)
		s.worked = 0
	}
	s.leave()
	if s.stranger {
		s.g.leave(kindStranger, nil)
		s.stranger = false
	}
	if s.sh != nil {
		s.g.shares.leave(s.who, s.sh)
		s.who, s.sh = "", nil
	}
}

// stake is what the call's request has of what all share.
func (c *call) stake() *stake {
	if rec := recorderOf(c.w); rec != nil {
		return &rec.stake
	}
	return new(stake)
}

// wait returns once the store has a revision. It takes WorkTime at most, though a
// stream may go on for ever, and no longer than the caller's key is good and the
// server is not about to stop. Only
// while it really waits the request counts as one that does.
func (c *call) wait(revision uint64) error {
	tail, err := c.s.store.Tail(c.ctx())
	if err != nil || revision <= tail.Revision {
		return err
	}
	full, err := c.stake().aside(kindWait, func() error {
		ctx, cancel := context.WithTimeout(c.ctx(), c.s.o.Limits.WorkTime)
		defer cancel()
		ctx, stop := c.a.during(ctx)
		defer stop()
		defer context.AfterFunc(c.s.stopping, cancel)()
		_, err := c.s.store.GetMany(ctx, nil, stet.ReadOptions{MinRevision: revision})
		if err != nil && over(c.a) {
			err = c.a.overError() // and so what it waited for did not come
		} else if err != nil && c.s.stopping.Err() != nil {
			c.w.Header().Set("Retry-After", retrySoon)
			err = stet.Errorf(stet.CodeUnavailable, "the server is about to stop, and revision %d has not come. Come back in a moment.", revision)
		}
		return err
	})
	if tail, err := c.s.store.Tail(c.ctx()); err == nil {
		c.before = tail.Revision
	}
	if full {
		c.full("in_hand")
	}
	return err
}

// prepare is wait for a read whose answer may be large: it has a place to build it
// then.
func (c *call) prepare(revision uint64) error {
	if err := c.wait(revision); err != nil {
		return err
	}
	return c.stake().build(c.ctx())
}

// reserve counts the bytes of the answer as it grows; see [stake.reserve].
func (c *call) reserve(n int) error {
	err := c.stake().reserve(n)
	if err != nil {
		c.full("answer_bytes")
	}
	return err
}

// full notes that a request is refused by a limit of the load.
func (c *call) full(limit string) { c.s.full(c.w.Header(), limit) }

func (s *Server) full(h http.Header, limit string) {
	s.metrics.refused.WithLabelValues(limit).Inc()
	h.Set("Retry-After", retrySoon)
}
