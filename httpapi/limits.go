package httpapi

import (
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/stet-dev/stet"
)

// Limits bound what requests take. Zero means the default; a negative number means no
// limit.
type Limits struct {
	// Rate is how many requests a second a key may make on average, DefaultRate if 0, and
	// twice as many at once. Requests without a key are limited by address, and only if
	// Rate is not 0: without keys only this machine is answered.
	Rate float64
	// InHand is how many requests are worked on at once: DefaultInHand if 0. More are
	// refused as unavailable. Streams and long polls do not count. Nor do requests
	// whose bodies are still being received, of which there may be eight times as many.
	// One key, or one address without a key, may have half of this and the next limit.
	InHand int
	// Streams is how many streams and long polls may be open at once, and how many
	// requests may wait for a revision: DefaultStreams if 0.
	Streams int

	// The rest is for tests: burst is how many requests a key may make at once.
	burst                  int
	attemptRate            float64
	bodyBytes, answerBytes int64
	bodyTime               time.Duration
}

const (
	// DefaultRate is far more than an application with the client's cache needs, and a
	// tenth of what two processors can answer.
	DefaultRate = 2000
	// attemptRate is how many requests without a valid key one remote address may make a
	// second. It lets a person mistype and makes a guesser wait for ages: a key has far more
	// than 100 bits.
	attemptRate = 10
	// DefaultInHand is many times what the processors can work on at once. Beyond it a
	// request would wait longer than a retry takes.
	DefaultInHand = 512
	// DefaultStreams times the 40 KB that a stream takes is some 400 MB.
	DefaultStreams = 10_000
	// maxLarge is how many backups, exports and verifications run at once. It keeps them
	// from filling the disk and from taking every processor.
	maxLarge = 4
	// maxBodies is how many received bytes of bodies are held at once: room for two of the
	// largest bodies, or for a dozen of the largest commits.
	maxBodies = 128 << 20
	// maxAnswers is how many bytes of large answers, and of pages for streams, are held at
	// once while their clients read: room for three of the largest answers, or for a dozen
	// pages. A backup or an export is streamed and not held.
	maxAnswers = 96 << 20

	// workTime is how long a request may wait for a revision, and how long a read of many
	// versions may take, before it fails as unavailable: the timeout of the Go client.
	workTime = 30 * time.Second
	// headerTime is how long a client may take to send a request's header, which comes in
	// one packet or two.
	headerTime = 10 * time.Second
	// bodyTime is how long a client may take to send the body, in addition to the body's
	// time at minBodyRate: on the worst of links a body is slow to start.
	bodyTime = 10 * time.Second
	// writeTime is how long a client may take to accept a part of the answer, and the
	// whole answer in addition to its time at minAnswerRate: a link may stall for that
	// long.
	writeTime = 30 * time.Second
	// idleTime is how long a connection without a request stays open: longer than most
	// clients keep one, so that the client closes first and no request meets a closed
	// connection.
	idleTime = 2 * time.Minute

	// minBodyRate, in bytes a second, is how fast a client must send a body: the rate
	// of the slowest mobile links.
	minBodyRate = 16 << 10
	// minAnswerRate, in bytes a second, is how fast a client must read a large answer:
	// one of 32 MiB is held for nine minutes at most.
	minAnswerRate = 64 << 10
	// maxHeaderBytes bounds a request's header, as other servers do: anybody who connects
	// can make the server keep one, without a key. It has room for an id and a message of
	// 4,000 bytes, all percent-encoded, and for what proxies add. A longer message goes
	// into the body of POST /v1/commits. Package net/http takes 4 KiB more, and answers
	// 431 to a longer header.
	maxHeaderBytes = 16 << 10

	// maxFrame is the longest frame of HTTP/2, the smallest limit that the protocol
	// allows: every connection has a buffer for one, with or without a key.
	maxFrame = 16 << 10

	// maxAnswerBytes bounds the JSON of an answer to POST /v1/get, and of a rendered text,
	// in which one byte of a text may take six. The client reads as much into memory.
	maxAnswerBytes = 64 << 20

	// maxStreams is how many requests one connection of HTTP/2 may have under way. If no
	// client reads its answers, 4,000 connections with 32 requests hold 410 MB; with 100,
	// 800 MB. A client that needs more opens another connection, as net/http's does.
	maxStreams = 32

	// maxUnsent is how many answers over HTTP/2 may wait for clients that do not read
	// them, on all connections together. Each holds some 20 KB. Unknown callers have one
	// such limit, known ones another, of which one key may have half.
	maxUnsent = 1024

	// retrySoon is the Retry-After, in seconds, of a request that is refused for load.
	retrySoon = "1"
)

// withDefaults returns the limits with defaults for 0 and no limit for negative numbers.
func (l Limits) withDefaults() Limits {
	setDefault(&l.Rate, DefaultRate, 0)
	setDefault(&l.InHand, DefaultInHand, 1<<31-1)
	setDefault(&l.Streams, DefaultStreams, 1<<31-1)
	setDefault(&l.burst, int(2*l.Rate), 0)
	setDefault(&l.attemptRate, attemptRate, 0)
	setDefault(&l.bodyBytes, maxBodies, 0)
	setDefault(&l.answerBytes, maxAnswers, 0)
	setDefault(&l.bodyTime, bodyTime, 0)
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

// setLimits makes what applies the limits of the options.
func (s *Server) setLimits() {
	l := &s.o.Limits
	s.noRate = l.Rate == 0
	*l = l.withDefaults()
	s.limiter = newLimiter(*l)
	s.rates = newRates(l.Rate, l.burst, s.o.now)
	s.attempts = newRates(l.attemptRate, int(10*l.attemptRate), s.o.now) // a page of a browser makes ten at once
	s.metrics = newMetrics(s.store, s.limiter, s.o.Metrics)
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
		limits:    [kinds]int64{kindUsual: int64(l.InHand), kindStream: int64(l.Streams), kindWait: int64(l.Streams), kindBody: 8 * int64(l.InHand), kindLarge: maxLarge, kindFree: 1<<63 - 1, kindUnknown: maxUnsent, kindUnsent: maxUnsent},
		bodyLimit: l.bodyBytes, answerLimit: l.answerBytes, builds: make(chan struct{}, builders()), work: semaphore.NewWeighted(maxWork),
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

// NewServer returns a server of package net/http for a handler, a [Server] or one around
// it, with the limits that net/http enforces itself. The caller may set other fields.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		// For the answers that net/http gives by itself; others set their own.
		WriteTimeout:   writeTime,
		MaxHeaderBytes: maxHeaderBytes,
		// Each stream is a request, and the connection holds what has arrived of its body
		// until it is read.
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrame,
			MaxReceiveBufferPerConnection: 512 << 10, MaxReceiveBufferPerStream: 256 << 10,
		},
	}
}
