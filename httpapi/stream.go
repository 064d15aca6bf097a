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
	// beatEvery is the interval of beats, unless the caller asks for another. Proxies
	// close streams that are silent for 30 s or more.
	beatEvery = 15 * time.Second
	// reportWithin is how soon a filtered stream reports a revision at which nothing
	// changed for its reader. So the reader knows how new its state is without an event
	// for every commit of others.
	reportWithin = time.Second
	// streamWrite is how long a subscriber may take to read a write.
	streamWrite = 10 * time.Second
	// ringCount and ringBytes bound the ring of the newest changes. A subscriber that is
	// further behind reads from the store.
	ringCount = 4096
	ringBytes = 16 << 20
	// maxLag is how many revisions a live stream may fall behind. Then the stream ends
	// with the reason, and its reader catches up in pages at its own pace.
	maxLag = 10_000
	// atOnce is how many events a stream takes from the ring at a time, and so how many
	// it holds for a slow reader.
	atOnce = 32
	// pageAtOnce is how many changes a stream that is behind reads at a time.
	pageAtOnce = 64
)

// streams is the state that all streams and long polls of a server share.
type streams struct {
	withoutTexts, withTexts *hub
	open                    atomic.Int64 // how many are open

	lag uint64 // maxLag but for tests
}

func newStreams(store *stet.Store) *streams {
	return &streams{
		withoutTexts: newHub(store, false), withTexts: newHub(store, true),
		lag: maxLag,
	}
}

func (s *streams) hub(texts bool) *hub {
	if texts {
		return s.withTexts
	}
	return s.withoutTexts
}

// close ends the streams, and returns when none of them reads the store any more.
func (s *streams) close() {
	s.withoutTexts.close()
	s.withTexts.close()
}

// The reasons for which a server ends a stream.
const (
	endDraining = "draining" // the server is stopping
	endSlow     = "too slow" // the reader fell behind
	endRevoked  = "key revoked"
	endStore    = "store" // the store could not be read
	endBusy     = "busy"  // the server has no room for the next events
)

// A stream is one subscriber.
type stream struct {
	c         *call
	v         viewer
	f         *feed
	out       *http.ResponseController
	texts     bool
	beat      time.Duration
	revision  uint64    // everything up to it that the viewer sees was sent
	reported  uint64    // the newest revision that the reader knows of
	lastWrite time.Time // time of the last write
	lastBeat  time.Time // time of the last beat
	caughtUp  bool      // it has once sent everything there was
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
// The id of each is the position to go on after.
func (c *call) stream(q changesQuery) error {
	st := c.s.streams
	// Join the feed before finding the position, so that no change is missed.
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
	case q.since.fromNow:
		pos = newest
	case pos > newest:
		// A shared engine may have it; otherwise the error says what that means.
		if _, err := c.s.store.ChangesPage(c.ctx(), pos, stet.ChangesOptions{Limit: 1}); err != nil {
			return err
		}
	}
	s := &stream{
		c: c, v: viewer{a: c.a, prefix: q.prefix}, f: f, out: http.NewResponseController(c.w),
		texts: q.texts, beat: q.beat, revision: pos,
	}
	if s.beat == 0 {
		s.beat = beatEvery
	}
	_ = s.out.SetReadDeadline(time.Time{}) // the request has been read

	head := c.w.Header()
	head["Content-Type"] = []string{"text/event-stream"}
	head["Cache-Control"] = noStore
	head["X-Accel-Buffering"] = []string{"no"} // nginx would buffer the events
	c.vary(varyAccept)
	c.asOf(pos)
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	s.caughtUp = pos == newest
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
		if expired(s.c.a) { // before anything is sent that it may not see any more
			detail := "the key was revoked or has expired"
			if s.c.a.grant == nil {
				detail = "keys were created since, and the request has none"
			}
			s.end(endRevoked, detail)
			return
		}
		var buf [atOnce]*event
		l := s.f.after(s.revision, buf[:])
		switch {
		case l.behind && s.caughtUp && l.newest-s.revision > s.c.s.streams.lag:
			s.end(endSlow, "the reader is "+strconv.FormatUint(l.newest-s.revision, 10)+" revisions behind; read pages from here until they end, then come back")
			return
		case l.behind:
			if !s.catchUp(ctx) {
				return
			}
			continue
		case l.n > 0:
			if !s.sendEvents(buf[:l.n]) || !s.sendBeat(l.newest) {
				return
			}
			continue
		case l.err != nil:
			s.end(endStore, "the changes could not be read; go on from here in a moment")
			return
		}
		if !s.sendBeat(l.newest) {
			return
		}
		if s.reported < s.revision {
			timer.Reset(min(reportWithin, s.beat))
		}
		select {
		case <-l.news:
		case <-timer.C:
			if since := time.Since(s.lastBeat); s.reported == s.revision && since < s.beat {
				timer.Reset(s.beat - since) // there was a beat meanwhile
				continue
			}
			if s.send(s.beatFrame(l.newest)) != nil {
				return
			}
			timer.Reset(s.beat)
		case <-revoked:
		case <-s.c.s.stopping.Done():
			s.end(endDraining, "the server is stopping; come back in a moment")
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
			s.reported = e.revision
		}
		s.revision = e.revision
	}
	if s.reported < events[0].revision {
		return true // the viewer sees none of them
	}
	return s.flush() == nil
}

// reserve sets the bytes that the stream holds for its reader alone to n, or ends the
// stream; the reader comes back to its position.
func (s *stream) reserve(n int) bool {
	if s.c.reserve(n) == nil {
		return true
	}
	s.end(endBusy, "the server holds as many events for its readers as it may; go on from here in a moment")
	return false
}

// catchUp sends a page of what is not in the ring any more.
func (s *stream) catchUp(ctx context.Context) bool {
	reservation := s.c.reservation()
	if reservation.beginBuild(ctx) != nil {
		return false // the reader is gone
	}
	defer reservation.endBuild()
	page, err := s.c.s.store.ChangesPage(ctx, s.revision, stet.ChangesOptions{Limit: pageAtOnce, Texts: s.texts})
	if err != nil {
		s.end(endStore, "the changes could not be read; go on from here in a moment")
		return false
	}
	first, last, told, size := s.revision+1, s.revision, s.reported, 0
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
	reservation.endBuild() // the reader may be slow from here on
	for _, frame := range frames {
		if s.put(frame) != nil {
			return false
		}
	}
	s.revision, s.reported = last, told
	s.reserve(0)
	if s.reported < first && time.Since(s.lastWrite) > reportWithin {
		return s.send(s.beatFrame(page.AsOf)) == nil // many changes, none of them for the viewer
	}
	select { // many pages take time
	case <-s.c.s.stopping.Done():
		s.end(endDraining, "the server is stopping; come back in a moment")
		return false
	default:
		return s.flush() == nil
	}
}

// sendBeat sends a beat when everything there was has been sent for the first time, and
// at the interval from then on, also while there is much to send: beats are how a reader
// knows how far it lags. It returns false if the reader is gone.
func (s *stream) sendBeat(newest uint64) bool {
	first := !s.caughtUp && s.revision >= newest
	if !first && time.Since(s.lastBeat) < s.beat {
		return true
	}
	s.caughtUp = s.caughtUp || first
	return s.send(s.beatFrame(newest)) == nil
}

// beatFrame returns a beat: the position of the stream and the newest revision.
func (s *stream) beatFrame(newest uint64) []byte {
	b := s.frame("beat")
	b = append(b, `{"store_id":`...)
	b = content.AppendQuote(b, s.c.s.store.ID())
	b = append(b, `,"as_of":`...)
	b = strconv.AppendUint(b, s.revision, 10)
	b = append(b, `,"newest":`...)
	b = strconv.AppendUint(b, max(newest, s.revision), 10)
	if !s.c.a.seesAll() {
		// A reader that comes back with other rights must know that it missed changes.
		b = append(b, `,"scope":`...)
		b = content.AppendQuote(b, s.c.a.grant.Scope())
	}
	s.reported, s.lastBeat = s.revision, time.Now()
	return append(b, "}\n\n"...)
}

func (s *stream) frame(event string) []byte {
	b := make([]byte, 0, 160)
	b = append(b, "id: "...)
	b = append(b, s.f.prefix...)
	b = strconv.AppendUint(b, s.revision, 10)
	b = append(b, "\nevent: "...)
	b = append(b, event...)
	return append(b, "\ndata: "...)
}

// end sends the last event: why the stream ends and where to go on.
func (s *stream) end(reason, detail string) {
	s.c.reservation().endBuild() // the reader may be slow
	b := s.frame("end")
	b = append(b, `{"reason":`...)
	b = content.AppendQuote(b, reason)
	b = append(b, `,"detail":`...)
	b = content.AppendQuote(b, detail)
	b = append(b, `,"as_of":`...)
	b = strconv.AppendUint(b, s.revision, 10)
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

// put writes what flush sends. After an error the reader is gone or too slow, and gets
// nothing more.
func (s *stream) put(frame []byte) error {
	s.deadline()
	_, err := s.c.w.Write(frame)
	return err
}

func (s *stream) flush() error {
	s.deadline()
	s.lastWrite = time.Now()
	err := s.out.Flush()
	if s.c.r.ProtoMajor >= 2 {
		_ = s.out.SetWriteDeadline(time.Time{}) // in HTTP/2 it would end an idle stream, too
	}
	return err
}

// deadline bounds how long a write waits for the reader.
func (s *stream) deadline() { _ = s.out.SetWriteDeadline(time.Now().Add(streamWrite)) }
