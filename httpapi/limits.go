package httpapi

import (
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/stet-dev/stet"
)

// Limits bound the resources of requests. Zero means the default; a negative number means
// no limit.
type Limits struct {
	// Rate is how many requests a second a key may make on average, and Burst how
	// many at once: DefaultRate and twice the rate if 0. Requests without a key are
	// limited by address, and only if Rate is not 0: without keys only this machine
	// is answered.
	Rate  float64
	Burst int
	// AttemptRate is how many requests without a valid key one remote address may
	// make a second: DefaultAttemptRate if 0. It makes guessing slow.
	AttemptRate float64
	// InHand is how many requests are worked on at once: DefaultInHand if 0. More are
	// refused as unavailable. Streams and long polls do not count. Nor do requests
	// whose bodies are still being received, of which there may be eight times as many.
	// One key, or one address without a key, may have half of this and the next limits.
	InHand int
	// Streams is how many streams and long polls may be open at once, and how many
	// requests may wait for a revision: DefaultStreams if 0.
	Streams int
	// Large is how many backups, exports and verifications may run at once:
	// DefaultLarge if 0.
	Large int
	// BodyBytes bounds the received bytes of bodies that are held at once:
	// DefaultBodyBytes if 0.
	BodyBytes int64
	// AnswerBytes bounds the large answers, and the pages for streams, that are held
	// at once: DefaultAnswerBytes if 0. A backup or an export is streamed and not held.
	AnswerBytes int64

	// WorkTime is how long a request may wait for a revision, and how long a read of
	// many versions may take: DefaultWorkTime if 0. Then it fails as unavailable.
	WorkTime time.Duration
	// HeaderTime is how long a client may take to send a request's header:
	// DefaultHeaderTime if 0.
	HeaderTime time.Duration
	// BodyTime is how long a client may take to send the body, in addition to the
	// body's time at MinBodyRate: DefaultBodyTime if 0.
	BodyTime time.Duration
	// WriteTime is how long a client may take to accept a part of the answer, and the
	// whole answer in addition to its time at MinAnswerRate: DefaultWriteTime if 0.
	WriteTime time.Duration
	// IdleTime is how long a connection without a request stays open:
	// DefaultIdleTime if 0.
	IdleTime time.Duration
}

const (
	// DefaultRate is far more than an application with the client's cache needs, and a
	// tenth of what two processors can answer.
	DefaultRate = 2000
	// DefaultAttemptRate lets a person mistype and makes a guesser wait for ages:
	// a key has far more than 100 bits.
	DefaultAttemptRate = 10
	// DefaultInHand is many times what the processors can work on at once. Beyond it a
	// request would wait longer than a retry takes.
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
	// DefaultWorkTime is the timeout of the Go client.
	DefaultWorkTime = 30 * time.Second
	// DefaultHeaderTime is ample: a header comes in one packet or two.
	DefaultHeaderTime = 10 * time.Second
	// DefaultBodyTime lets a body begin to come on the worst of links.
	DefaultBodyTime = 10 * time.Second
	// DefaultWriteTime is how long a link may stand still.
	DefaultWriteTime = 30 * time.Second
	// DefaultIdleTime is longer than most clients keep idle connections, so that the
	// client closes first and no request meets a closed connection.
	DefaultIdleTime = 2 * time.Minute

	// MinBodyRate, in bytes a second, is how fast a client must send a body: the rate
	// of the slowest mobile links.
	MinBodyRate = 16 << 10
	// MinAnswerRate, in bytes a second, is how fast a client must read a large answer:
	// one of 32 MiB is held for nine minutes at most.
	MinAnswerRate = 64 << 10
	// MaxHeaderBytes bounds a request's header, which whoever connects can make the
	// server keep, without any key: it is as much as other servers take. An id and a
	// message of 4,000 bytes, all percent-encoded, and what proxies add have room; a
	// longer message stands in the body of POST /v1/commits. Package net/http takes
	// 4 KiB more, and answers 431 to what is longer.
	MaxHeaderBytes = 16 << 10

	// maxFrame is the longest frame of HTTP/2, the smallest limit that the protocol
	// allows: every connection has a buffer for one, with or without a key.
	maxFrame = 16 << 10

	// maxAnswerBytes bounds the JSON of an answer to POST /v1/get, and of a rendered text: a byte
	// of a text may take six. It is what the client reads into memory.
	maxAnswerBytes = 64 << 20

	// maxStreams is how many requests one connection of HTTP/2 may have under way. With
	// answers that nobody takes, 4,000 connections of 32 hold 410 MB; of 100, 800 MB. A
	// client that needs more opens another connection, as that of net/http does.
	maxStreams = 32

	// maxUnsent is how many answers over HTTP/2 may wait for clients that do not read
	// them, on all connections together. Each holds some 20 KB. It is a limit for unknown
	// callers, and another for known ones, of which one key may have half.
	maxUnsent = 1024

	// retrySoon is the Retry-After, in seconds, of a request that is refused for load.
	retrySoon = "1"
)

// withDefaults returns the limits with defaults for 0 and no limit for negative numbers.
func (l Limits) withDefaults() Limits {
	setDefault(&l.Rate, DefaultRate, 0)
	setDefault(&l.Burst, int(2*l.Rate), 0)
	setDefault(&l.AttemptRate, DefaultAttemptRate, 0)
	setDefault(&l.InHand, DefaultInHand, 1<<31-1)
	setDefault(&l.Streams, DefaultStreams, 1<<31-1)
	setDefault(&l.Large, DefaultLarge, 1<<31-1)
	setDefault(&l.BodyBytes, DefaultBodyBytes, 1<<62)
	setDefault(&l.AnswerBytes, DefaultAnswerBytes, 1<<62)
	setDefault(&l.WorkTime, DefaultWorkTime, 1<<62)
	setDefault(&l.HeaderTime, DefaultHeaderTime, 0)
	setDefault(&l.BodyTime, DefaultBodyTime, 0)
	setDefault(&l.WriteTime, DefaultWriteTime, 0)
	setDefault(&l.IdleTime, DefaultIdleTime, 0)
	return l
}

// setDefault replaces 0 by the default and a negative number by what means no limit.
func setDefault[T int | int64 | float64 | time.Duration](n *T, def, none T) {
	switch {
	case *n == 0:
		*n = def
	case *n < 0:
		*n = none
	}
}

// limit sets up the limits of the server.
func (s *Server) limit() {
	l := &s.o.Limits
	s.noRate = l.Rate == 0
	*l = l.withDefaults()
	s.limiter = newLimiter(*l)
	s.rates = newRates(l.Rate, l.Burst, s.o.Now)
	s.attempts = newRates(l.AttemptRate, int(10*l.AttemptRate), s.o.Now) // a page of a browser makes ten at once
	s.metrics = newMetrics(s.store, s.limiter, s.o.Connections)
}

// A kind of request has a limit of its own.
type kind int

const (
	kindUsual   kind = iota
	kindStream       // open for long, and idle nearly all the time
	kindWait         // waits for a revision
	kindBody         // receives its body
	kindLarge        // reads the whole store
	kindFree         // health, metrics and what is public: never refused for load
	kindUnknown      // HTTP/2: answered, of an unknown caller
	kindUnsent       // HTTP/2: done, but its client has not read all of the answer
	kinds

	kindChanges // in the table of routes: kindStream or kindUsual, as the request asks
)

// A limiter counts requests and what they hold, and refuses those beyond the limits.
type limiter struct {
	limits [kinds]int64
	inHand [kinds]atomic.Int64

	bodyLimit int64
	bytes     atomic.Int64 // of bodies

	answerLimit int64
	answers     atomic.Int64  // bytes
	builds      chan struct{} // one for each large answer that is being built

	work   *semaphore.Weighted // bytes of decoded bodies
	shares shares
}

func newLimiter(l Limits) *limiter {
	return &limiter{
		limits:    [kinds]int64{kindUsual: int64(l.InHand), kindStream: int64(l.Streams), kindWait: int64(l.Streams), kindBody: 8 * int64(l.InHand), kindLarge: int64(l.Large), kindFree: 1<<63 - 1, kindUnknown: maxUnsent, kindUnsent: maxUnsent},
		bodyLimit: l.BodyBytes, answerLimit: l.AnswerBytes, builds: make(chan struct{}, builders()), work: semaphore.NewWeighted(maxWork),
	}
}

// enter counts a request in, or refuses it: as rate_limited if its caller has its share,
// else as unavailable. A request that was counted in calls leave when it is done.
func (g *limiter) enter(k kind, sh *share) error {
	if g.inHand[k].Add(1) > g.limits[k] {
		g.inHand[k].Add(-1)
		return g.limitError(k)
	}
	if sh == nil {
		return nil
	}
	err := sh.enter(k, g.limits[k])
	if err != nil {
		g.inHand[k].Add(-1)
	}
	return err
}

func (g *limiter) limitError(k kind) error {
	switch k {
	case kindStream:
		return stet.Errorf(stet.CodeUnavailable, "the server has %d streams open, which is its limit. Try again later, or read pages.", g.limits[k])
	case kindWait:
		return stet.Errorf(stet.CodeUnavailable, "%d requests wait for a revision, which is the limit. Try again later, or without min_revision.", g.limits[k])
	case kindBody:
		return stet.Errorf(stet.CodeUnavailable, "the bodies of %d requests are being received, which is the limit. Nothing changed. Try again.", g.limits[k])
	case kindLarge:
		return stet.Errorf(stet.CodeUnavailable, "the server runs %d backups, exports or verifications already, which is its limit. Try again later.", g.limits[k])
	}
	return stet.Errorf(stet.CodeUnavailable, "the server has %d requests in hand, which is its limit. Nothing changed. Try again.", g.limits[k])
}

func (g *limiter) leave(k kind, sh *share) {
	g.inHand[k].Add(-1)
	if sh != nil {
		sh.inHand[k].Add(-1)
	}
}

// hold reserves bytes for a body, and fails as unavailable beyond the limit. The caller
// releases as many later.
func (g *limiter) hold(bytes int64) error {
	if g.bytes.Add(bytes) <= g.bodyLimit {
		return nil
	}
	g.bytes.Add(-bytes)
	return stet.Errorf(stet.CodeUnavailable, "the requests in hand have %d bytes of bodies, which is the limit of the server. Nothing changed. Try again.", g.bodyLimit)
}

func (g *limiter) release(bytes int64) { g.bytes.Add(-bytes) }

// NewServer returns a server of package net/http for a handler, with the limits that
// net/http enforces itself. The caller may set other fields.
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
