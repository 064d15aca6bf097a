package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
)

// What bounds streams.
const (
	// beatEvery is how long a stream is silent: under what proxies cut off after,
	// which is 30 s and more. A caller may ask for another time.
	beatEvery = 15 * time.Second
	// tellWithin is how soon a stream that shows a part tells of a revision that
	// changed nothing in it: its reader is to know how new it is, and not to get
	// a line for every commit of others.
	tellWithin = time.Second
	// streamWrite is how long a subscriber may take to read what it is sent.
	streamWrite = 10 * time.Second
	// ringCount and ringBytes bound what is kept of the newest changes. A
	// subscriber who is further behind reads the store.
	ringCount = 4096
	ringBytes = 16 << 20
	// maxLag is how many revisions a stream that was live may fall behind. Then it
	// ends: its reader is told, and catches up in pages at its own pace.
	maxLag = 10_000
	// atOnce is how many events a stream takes from the ring at a time: it holds
	// no more than these while it waits for a slow reader.
	atOnce = 32
	// pageAtOnce is how many changes a stream that is behind reads at a time.
	pageAtOnce = 64
)

// streams is what all streams and long polls of a server share.
type streams struct {
	plain, texts *hub
	open         atomic.Int64 // how many there are

	lag uint64 // maxLag but for tests
}

func newStreams(store *stet.Store) *streams {
	return &streams{
		plain: newHub(store, false), texts: newHub(store, true),
		lag: maxLag,
	}
}

func (s *streams) hub(texts bool) *hub {
	if texts {
		return s.texts
	}
	return s.plain
}

// close returns once nothing of the streams reads the store.
func (s *streams) close() {
	s.plain.close()
	s.texts.close()
}

// The reasons for which a server ends a stream.
const (
	endDraining = "draining" // the server stops
	endSlow     = "too slow" // the reader fell behind
	endRevoked  = "key revoked"
	endStore    = "store" // the store could not be read
	endBusy     = "busy"  // there is no room for what is to be sent
)

// A stream is one subscriber.
type stream struct {
	c      *call
	v      viewer
	f      *feed
	out    *http.ResponseController
	texts  bool
	beat   time.Duration
	pos    uint64    // everything up to it was sent, or is nothing to the viewer
	told   uint64    // the newest revision that the reader was told of
	spoke  time.Time // when something was sent last
	beaten time.Time // when the last beat was sent
	wasTop bool      // it has once been at the newest
}

// stream answers with changes as they come (text/event-stream).
//
//	event: beat    first, when everything there was has been sent, every so often
//	               whether something happens or not, and after changes that the
//	               viewer does not see: {"store_id","as_of","newest","scope"}, where scope
//	               names the prompts that the key is for, if not for every one
//	event: change  one commit
//	event: end     the last: {"reason","detail","as_of"}
//
// Each has as its id the place to go on after.
func (c *call) stream(q changesQuery) error {
	st := c.s.streams
	// First the feed, then the place to begin at, so that nothing is between.
	h := st.hub(q.texts)
	f, err := h.join()
	if err != nil {
		return err
	}
	defer h.leave(f)
	st.open.Add(1)
	defer st.open.Add(-1)

	tail, err := c.s.store.Tail(c.ctx())
	if err != nil {
		return err
	}
	newest := tail.Revision
	pos := q.since.revision
	switch {
	case q.since.present:
		pos = newest
	case pos > newest:
		// A shared engine may have it; otherwise the error says what that means.
		if _, err := c.s.store.ChangesPage(c.ctx(), pos, stet.ChangesOptions{Limit: 1}); err != nil {
			return err
		}
	}
	s := &stream{
		c: c, v: viewer{a: c.a, prefix: q.prefix}, f: f, out: http.NewResponseController(c.w),
		texts: q.texts, beat: q.beat, pos: pos,
	}
	if s.beat == 0 {
		s.beat = beatEvery
	}
	_ = s.out.SetReadDeadline(time.Time{}) // what was there for the request has come

	head := c.w.Header()
	head["Content-Type"] = []string{"text/event-stream"}
	head["Cache-Control"] = noStore
	head["X-Accel-Buffering"] = []string{"no"} // nginx would keep what is to go on at once
	c.vary(varyAccept)
	c.asOf(pos)
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	s.wasTop = pos == newest
	if s.send([]byte("retry: 1000\n"), s.beatFrame(newest)) != nil {
		return nil
	}
	s.run()
	return nil
}

// run sends until the reader is gone or the stream is to end.
func (s *stream) run() {
	ctx := s.c.ctx()
	timer := time.NewTimer(s.beat)
	defer timer.Stop()
	revoked := s.c.a.done()
	for {
		if over(s.c.a) { // before anything is sent that it may not see any more
			detail := "the key was revoked or has expired"
			if s.c.a.grant == nil {
				detail = "there are keys by now, and the request shows none"
			}
			s.end(endRevoked, detail)
			return
		}
		var buf [atOnce]*event
		l := s.f.after(s.pos, buf[:])
		switch {
		case l.behind && s.wasTop && l.newest-s.pos > s.c.s.streams.lag:
			s.end(endSlow, "the reader is "+strconv.FormatUint(l.newest-s.pos, 10)+" revisions behind; read pages from here until they end, then come back")
			return
		case l.behind:
			if !s.catchUp(ctx) {
				return
			}
			continue
		case l.n > 0:
			if !s.sendEvents(buf[:l.n]) || !s.atTop(l.newest) {
				return
			}
			continue
		case l.err != nil:
			s.end(endStore, "the changes could not be read; go on from here in a moment")
			return
		}
		if !s.atTop(l.newest) {
			return
		}
		if s.told < s.pos {
			timer.Reset(min(tellWithin, s.beat))
		}
		select {
		case <-l.news:
		case <-timer.C:
			if since := time.Since(s.beaten); s.told == s.pos && since < s.beat {
				timer.Reset(s.beat - since) // there was a beat meanwhile
				continue
			}
			if s.send(s.beatFrame(l.newest)) != nil {
				return
			}
			timer.Reset(s.beat)
		case <-revoked:
		case <-s.c.s.stopping.Done():
			s.end(endDraining, "the server stops; come back in a moment")
			return
		case <-ctx.Done():
			return
		}
	}
}

// sendEvents sends what the viewer sees of events, all at once.
func (s *stream) sendEvents(events []*event) bool {
	for _, e := range events {
		frame, err := s.v.frame(s.f, e)
		if err != nil {
			s.end(endStore, "a change could not be shown")
			return false
		}
		if frame != nil {
			own := &frame[0] != &e.frame[0]
			if own && !s.reserve(len(frame)) || s.put(frame) != nil {
				return false
			}
			if own {
				s.reserve(0)
			}
			s.told = e.revision
		}
		s.pos = e.revision
	}
	if s.told < events[0].revision {
		return true // nothing of them was for the viewer
	}
	return s.flush() == nil
}

// reserve makes n the bytes that the stream holds for its reader alone, or ends the
// stream: the reader comes back to the place where it is.
func (s *stream) reserve(n int) bool {
	if s.c.reserve(n) == nil {
		return true
	}
	s.end(endBusy, "the server has as much on its way to readers as it may hold; go on from here in a moment")
	return false
}

// catchUp sends a page of what is not in the ring any more.
func (s *stream) catchUp(ctx context.Context) bool {
	stake := s.c.stake()
	if stake.build(ctx) != nil {
		return false // the reader is gone
	}
	defer stake.built()
	page, err := s.c.s.store.ChangesPage(ctx, s.pos, stet.ChangesOptions{Limit: pageAtOnce, Texts: s.texts})
	if err != nil {
		s.end(endStore, "the changes could not be read; go on from here in a moment")
		return false
	}
	first, last, told, size := s.pos+1, s.pos, s.told, 0
	var frames [][]byte
	for i := range page.Items {
		ch, ok := s.v.see(page.Items[i])
		if ok {
			e, err := newEvent(s.f.prefix, &ch)
			if err != nil {
				s.end(endStore, "a change could not be shown")
				return false
			}
			if size += len(e.frame); !s.reserve(size) {
				return false
			}
			frames = append(frames, e.frame)
			told = ch.Revision
		}
		last = page.Items[i].Revision
	}
	page.Items = nil
	stake.built() // what follows waits for the reader
	for _, frame := range frames {
		if s.put(frame) != nil {
			return false
		}
	}
	s.pos, s.told = last, told
	s.reserve(0)
	if s.told < first && time.Since(s.spoke) > tellWithin {
		return s.send(s.beatFrame(page.AsOf)) == nil // a long way without anything for the viewer
	}
	select { // a long way takes time
	case <-s.c.s.stopping.Done():
		s.end(endDraining, "the server stops; come back in a moment")
		return false
	default:
		return s.flush() == nil
	}
}

// atTop tells the reader once that everything there was has been sent, and how it is
// every so often, however much there is to send: without that nobody could tell a
// stream that lags from one that does not. It returns false if the reader is gone.
func (s *stream) atTop(newest uint64) bool {
	first := !s.wasTop && s.pos >= newest
	if !first && time.Since(s.beaten) < s.beat {
		return true
	}
	s.wasTop = s.wasTop || first
	return s.send(s.beatFrame(newest)) == nil
}

// beatFrame tells where the stream is, and what there is.
func (s *stream) beatFrame(newest uint64) []byte {
	b := s.frame("beat")
	b = append(b, `{"store_id":`...)
	b = content.AppendQuote(b, s.c.s.store.ID())
	b = append(b, `,"as_of":`...)
	b = strconv.AppendUint(b, s.pos, 10)
	b = append(b, `,"newest":`...)
	b = strconv.AppendUint(b, max(newest, s.pos), 10)
	if !s.c.a.seesAll() {
		// Who comes back with other rights must know that changes have passed by.
		b = append(b, `,"scope":`...)
		b = content.AppendQuote(b, s.c.a.grant.Scope())
	}
	s.told, s.beaten = s.pos, time.Now()
	return append(b, "}\n\n"...)
}

func (s *stream) frame(event string) []byte {
	b := make([]byte, 0, 160)
	b = append(b, "id: "...)
	b = append(b, s.f.prefix...)
	b = strconv.AppendUint(b, s.pos, 10)
	b = append(b, "\nevent: "...)
	b = append(b, event...)
	return append(b, "\ndata: "...)
}

// end tells the reader that this is all, why, and where to go on.
func (s *stream) end(reason, detail string) {
	s.c.stake().built() // to be told may take its time
	b := s.frame("end")
	b = append(b, `{"reason":`...)
	b = content.AppendQuote(b, reason)
	b = append(b, `,"detail":`...)
	b = content.AppendQuote(b, detail)
	b = append(b, `,"as_of":`...)
	b = strconv.AppendUint(b, s.pos, 10)
	_ = s.send(append(b, "}\n\n"...))
}

// send writes and flushes.
func (s *stream) send(parts ...[]byte) error {
	for _, p := range parts {
		if err := s.put(p); err != nil {
			return err
		}
	}
	return s.flush()
}

// put writes a part of what flush sends. The error is the connection's: the reader
// is gone, or took nothing for too long, and cannot be told any more.
func (s *stream) put(frame []byte) error {
	s.deadline()
	_, err := s.c.w.Write(frame)
	return err
}

func (s *stream) flush() error {
	s.deadline()
	s.spoke = time.Now()
	err := s.out.Flush()
	if s.c.r.ProtoMajor >= 2 {
		_ = s.out.SetWriteDeadline(time.Time{}) // theirs ends a stream that is silent, too
	}
	return err
}

// deadline bounds how long a write waits for the reader.
func (s *stream) deadline() { _ = s.out.SetWriteDeadline(time.Now().Add(streamWrite)) }
