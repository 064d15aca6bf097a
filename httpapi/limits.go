package httpapi

import (
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/stet-dev/stet"
)

// Limits bound what requests may take of the server. The zero value is good; a
// negative number takes a bound away.
type Limits struct {
	// Rate is how many requests a second a key may make on average, and Burst how
	// many at once: DefaultRate and twice the rate if 0. Who needs no key is limited
	// by address, and only if Rate is not 0: without keys only this machine asks.
	Rate  float64
	Burst int
	// AttemptRate is how many requests a second one remote address may make that
	// show no valid key: DefaultAttemptRate if 0. It makes guessing slow.
	AttemptRate float64
	// InHand is how many requests are worked on at once; one more is refused at
	// once as unavailable. Streams and long polls do not count, nor do requests whose
	// bodies are still coming, of which there may be eight times as many: DefaultInHand
	// if 0. Of all bounds of this kind one key, or one address without a key, has half.
	InHand int
	// Streams is how many streams and long polls are open at once, and how many
	// requests wait for a revision: DefaultStreams if 0.
	Streams int
	// Large is how many backups, exports and checks of the whole store run at
	// once: DefaultLarge if 0.
	Large int
	// BodyBytes is how many bytes of bodies are held at once, of what has come of
	// them: DefaultBodyBytes if 0.
	BodyBytes int64
	// AnswerBytes is how many bytes of large answers and of pages for streams may be
	// on their way together: DefaultAnswerBytes if 0. What is streamed from the
	// store, a backup or an export, is never in memory.
	AnswerBytes int64

	// WorkTime is how long a read may wait for a revision, or a read of many
	// versions may take: DefaultWorkTime if 0. It ends as unavailable.
	WorkTime time.Duration
	// HeaderTime is how long a client may take to send a request's header:
	// DefaultHeaderTime if 0.
	HeaderTime time.Duration
	// BodyTime is how long it may take to send the body, beside the time that the
	// body takes at MinBodyRate: DefaultBodyTime if 0.
	BodyTime time.Duration
	// WriteTime is how long it may take to take a piece of the answer, and the
	// whole of it beside the time that it takes at MinAnswerRate: DefaultWriteTime
	// if 0.
	WriteTime time.Duration
	// IdleTime is how long a connection without a request stays open:
	// DefaultIdleTime if 0.
	IdleTime time.Duration
}

const (
	// DefaultRate is far above what one application asks that uses the client's
	// cache, and a tenth of what two processors can answer.
	DefaultRate = 2000
	// DefaultAttemptRate lets a person mistype and makes a guesser wait for ages:
	// a key has far more than 100 bits.
	DefaultAttemptRate = 10
	// DefaultInHand is many times what the processors work on at once: whoever
	// waits behind so many is better told to come again.
	DefaultInHand = 512
	// DefaultStreams times the 40 KB that a stream takes is some 400 MB.
	DefaultStreams = 10_000
	// DefaultLarge keeps whole-store reads from filling the disk or taking every
	// processor.
	DefaultLarge = 4
	// DefaultBodyBytes is room for two of the largest bodies, or for a dozen commits of
	// as many texts as there may be in one.
	DefaultBodyBytes = 128 << 20
	// DefaultAnswerBytes is room for some three of the largest answers, or for a dozen
	// pages, whose clients do not read them at once.
	DefaultAnswerBytes = 96 << 20
	// DefaultWorkTime is as long as a client of ours waits for an answer.
	DefaultWorkTime = 30 * time.Second
	// DefaultHeaderTime is ample: a header comes in one packet or two.
	DefaultHeaderTime = 10 * time.Second
	// DefaultBodyTime lets a body begin to come on the worst of links.
	DefaultBodyTime = 10 * time.Second
	// DefaultWriteTime is how long a link may stand still.
	DefaultWriteTime = 30 * time.Second
	// DefaultIdleTime is longer than clients keep connections that they do not use, so
	// that they hang up first: then no request meets a closed connection.
	DefaultIdleTime = 2 * time.Minute

	// MinBodyRate, in bytes a second, is how fast a body must come. It is what the
	// slowest links of mobile phones do.
	MinBodyRate = 16 << 10
	// MinAnswerRate, in bytes a second, is how fast a large answer must be taken: one
	// of 32 MiB is held for nine minutes at most.
	MinAnswerRate = 64 << 10
	// MaxHeaderBytes bounds a request's header, which whoever connects can make the
	// server keep, without any key: it is as much as other servers take. An id and a
	// message of 4,000 bytes, all percent-encoded, and what proxies add have room; a
	// longer message stands in the body of POST /v1/commits. Package net/http takes
	// 4 KiB more, and answers 431 to what is longer.
	MaxHeaderBytes = 16 << 10

	// maxFrame is the longest frame of HTTP/2 that is taken, which is the shortest
	// that one may say: a connection keeps room for one, key or no key.
	maxFrame = 16 << 10

	// maxManyBytes bounds the texts of one answer to POST /v1/get. It is what four
	// pages have, and half of what the client reads into memory.
	maxManyBytes = 32 << 20
	// maxAnswerBytes bounds the JSON of one such answer, and of a rendered text: a byte
	// of a text may take six. It is what the client reads into memory.
	maxAnswerBytes = 64 << 20

	// maxStreams is how many requests one connection of HTTP/2 has under way: as many
	// as package net/http of a client makes at once.
	maxStreams = 100

	// maxUnsent is how many answers over HTTP/2 may wait for clients that do not take
	// them, of all connections together: as many as there are connections. Each is some
	// 20 KB, and without a key a client could have 100 on each connection. Of strangers
	// there may be as many, and of those with a key half belongs to one key at most.
	maxUnsent = 4096

	// retrySoon, in seconds, is after how long who was refused for load should
	// try again.
	retrySoon = "1"
)

// withDefaults returns the limits with what is 0 filled in, and what is negative
// as large as can be.
func (l Limits) withDefaults() Limits {
	number(&l.Rate, DefaultRate, 0)
	number(&l.Burst, int(2*l.Rate), 0)
	number(&l.AttemptRate, DefaultAttemptRate, 0)
	number(&l.InHand, DefaultInHand, 1<<31-1)
	number(&l.Streams, DefaultStreams, 1<<31-1)
	number(&l.Large, DefaultLarge, 1<<31-1)
	number(&l.BodyBytes, DefaultBodyBytes, 1<<62)
	number(&l.AnswerBytes, DefaultAnswerBytes, 1<<62)
	number(&l.WorkTime, DefaultWorkTime, 1<<62)
	number(&l.HeaderTime, DefaultHeaderTime, 0)
	number(&l.BodyTime, DefaultBodyTime, 0)
	number(&l.WriteTime, DefaultWriteTime, 0)
	number(&l.IdleTime, DefaultIdleTime, 0)
	return l
}

func number[T int | int64 | float64 | time.Duration](n *T, usual, none T) {
	switch {
	case *n == 0:
		*n = usual
	case *n < 0:
		*n = none
	}
}

// limit sets up what enforces the limits.
func (s *Server) limit() {
	l := &s.o.Limits
	s.freely = l.Rate == 0
	*l = l.withDefaults()
	s.gate = newGate(*l)
	s.rates = newRates(l.Rate, l.Burst, s.o.Now)
	s.attempts = newRates(l.AttemptRate, int(10*l.AttemptRate), s.o.Now) // a page of a browser makes ten at once
	s.metrics = newMetrics(s.store, s.gate, s.o.Connections)
}

// A kind of request has a bound of its own.
type kind int

const (
	kindUsual    kind = iota
	kindStream        // open for long, and idle nearly all the time
	kindWait          // waits for a revision
	kindBody          // its body comes
	kindLarge         // reads the whole store
	kindFree          // tells how the server is, above all when it is busy, or what anybody may know
	kindStranger      // over HTTP/2, answered, of whom nobody knows who makes it
	kindUnsent        // over HTTP/2, carried out: its client has not taken all of the answer
	kinds

	kindChanges // in the table of routes: kindStream or kindUsual, as the request asks
)

// A gate counts the requests in hand, and refuses those beyond the bounds.
type gate struct {
	most   [kinds]int64
	inHand [kinds]atomic.Int64

	mostBytes int64
	bytes     atomic.Int64 // of bodies

	mostAnswers int64
	answers     atomic.Int64  // bytes
	builds      chan struct{} // one for each who builds a large answer

	work   *semaphore.Weighted // bytes that become of bodies
	shares shares
}

func newGate(l Limits) *gate {
	return &gate{
		most:      [kinds]int64{kindUsual: int64(l.InHand), kindStream: int64(l.Streams), kindWait: int64(l.Streams), kindBody: 8 * int64(l.InHand), kindLarge: int64(l.Large), kindFree: 1<<63 - 1, kindStranger: maxUnsent, kindUnsent: maxUnsent},
		mostBytes: l.BodyBytes, mostAnswers: l.AnswerBytes, builds: make(chan struct{}, builders()), work: semaphore.NewWeighted(maxWork),
	}
}

// enter lets a request in, or refuses it as unavailable, or as rate_limited if it is
// its caller who has enough. Who is let in calls leave when it is done.
func (g *gate) enter(k kind, sh *share) error {
	if g.inHand[k].Add(1) > g.most[k] {
		g.inHand[k].Add(-1)
		return g.tooMany(k)
	}
	if sh == nil {
		return nil
	}
	err := sh.enter(k, g.most[k])
	if err != nil {
		g.inHand[k].Add(-1)
	}
	return err
}

func (g *gate) tooMany(k kind) error {
	switch k {
	case kindStream:
		return stet.Errorf(stet.CodeUnavailable, "the server has %d streams open, which is as many as it may. Try again later, or ask for pages.", g.most[k])
	case kindWait:
		return stet.Errorf(stet.CodeUnavailable, "%d requests wait for a revision, which is as many as may. Try again later, or without min_revision.", g.most[k])
	case kindBody:
		return stet.Errorf(stet.CodeUnavailable, "the bodies of %d requests are coming, which is as many as may. Nothing changed. Try again.", g.most[k])
	case kindLarge:
		return stet.Errorf(stet.CodeUnavailable, "the server does %d backups, exports or checks already, which is as many as it may. Try again later.", g.most[k])
	}
	return stet.Errorf(stet.CodeUnavailable, "the server has %d requests in hand, which is as many as it may. Nothing changed. Try again.", g.most[k])
}

func (g *gate) leave(k kind, sh *share) {
	g.inHand[k].Add(-1)
	if sh != nil {
		sh.inHand[k].Add(-1)
	}
}

// hold takes room for the bytes of a body, and fails as unavailable if there is
// none left. Who holds lets go of as many later.
func (g *gate) hold(bytes int64) error {
	if g.bytes.Add(bytes) <= g.mostBytes {
		return nil
	}
	g.bytes.Add(-bytes)
	return stet.Errorf(stet.CodeUnavailable, "the requests in hand have %d bytes of bodies, which is as much as the server takes at once. Nothing changed. Try again.", g.mostBytes)
}

func (g *gate) letGo(bytes int64) { g.bytes.Add(-bytes) }

// NewServer returns a server of package net/http with the limits set that it
// enforces by itself. The caller gives it a handler, and may set other fields.
func (l Limits) NewServer(h http.Handler) *http.Server {
	l = l.withDefaults()
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: l.HeaderTime,
		IdleTimeout:       l.IdleTime,
		// For the answers that net/http gives by itself; others set their own.
		WriteTimeout:   l.WriteTime,
		MaxHeaderBytes: MaxHeaderBytes,
		// Each stream is a request, and what has come of its body is held by the
		// connection until it is read.
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrame,
			MaxReceiveBufferPerConnection: 512 << 10, MaxReceiveBufferPerStream: 256 << 10,
		},
	}
}
