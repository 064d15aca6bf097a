package drivertest_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/drivertest"
	"github.com/stet-dev/stet/memory"
)

// A server is a correct log, as simple as can be, that several handles share and
// that outlives them: what the broken ones below are made from.
type server struct {
	driver.Log
	mu         sync.Mutex
	chunks     map[string][]byte
	checkpoint uint64
}

func (s *server) SaveCheckpoint(_ context.Context, revision uint64, reset bool, chunks []driver.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if revision < s.checkpoint {
		return nil
	}
	if s.checkpoint = revision; reset || s.chunks == nil {
		s.chunks = make(map[string][]byte)
	}
	for _, c := range chunks {
		if c.Data == nil {
			delete(s.chunks, c.Key)
		} else {
			s.chunks[c.Key] = bytes.Clone(c.Data)
		}
	}
	return nil
}

func (s *server) LoadCheckpoint(_ context.Context, f func(driver.Chunk) error) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.chunks)) {
		if err := f(driver.Chunk{Key: k, Data: s.chunks[k]}); err != nil {
			return 0, err
		}
	}
	return s.checkpoint, nil
}

// A handle is a log whose methods a test replaces by broken ones.
type handle struct {
	*server
	breaks breaks
	ctx    context.Context
	cancel context.CancelFunc
}

// breaks are the broken methods; nil ones work.
type breaks struct {
	info     func(h *handle) driver.Info
	append   func(h *handle, prev driver.Tail, entries []driver.Entry) error
	read     func(h *handle, after uint64, limit int) ([]driver.Entry, error)
	barrier  func(h *handle) (driver.Tail, error)
	body     func(h *handle, ref driver.BodyRef) (driver.Body, error)
	wait     func(h *handle, ctx context.Context, after uint64) error
	save     func(h *handle, revision uint64, reset bool, chunks []driver.Chunk) error
	load     func(h *handle, f func(driver.Chunk) error) (uint64, error)
	close    func(h *handle) error
	reopened func(h *handle)
}

var errShut = errors.New("shut")

func newHandle(s *server, b breaks) *handle {
	ctx, cancel := context.WithCancel(context.Background())
	return &handle{s, b, ctx, cancel}
}

func (h *handle) Info() driver.Info {
	if h.breaks.info != nil {
		return h.breaks.info(h)
	}
	return h.server.Info()
}

func (h *handle) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	if h.ctx.Err() != nil {
		return errors.Join(driver.ErrNotApplied, errShut)
	}
	if h.breaks.append != nil {
		return h.breaks.append(h, prev, entries)
	}
	return h.server.Append(ctx, prev, entries)
}

func (h *handle) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	if h.ctx.Err() != nil {
		return nil, errShut
	}
	if h.breaks.read != nil {
		return h.breaks.read(h, after, limit)
	}
	return h.server.Read(ctx, after, limit)
}

func (h *handle) Barrier(ctx context.Context) (driver.Tail, error) {
	if h.ctx.Err() != nil {
		return driver.Tail{}, errShut
	}
	if h.breaks.barrier != nil {
		return h.breaks.barrier(h)
	}
	return h.server.Barrier(ctx)
}

func (h *handle) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	if h.ctx.Err() != nil {
		return driver.Body{}, errShut
	}
	if h.breaks.body != nil {
		return h.breaks.body(h, ref)
	}
	return h.server.Body(ctx, ref)
}

func (h *handle) Wait(ctx context.Context, after uint64) error {
	if h.breaks.wait != nil {
		return h.breaks.wait(h, ctx, after)
	}
	return h.wait(ctx, after)
}

func (h *handle) wait(ctx context.Context, after uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(h.ctx, cancel)()
	defer cancel()
	return h.server.Log.(driver.Notifier).Wait(ctx, after)
}

func (h *handle) SaveCheckpoint(ctx context.Context, revision uint64, reset bool, chunks []driver.Chunk) error {
	if h.breaks.save != nil {
		return h.breaks.save(h, revision, reset, chunks)
	}
	return h.server.SaveCheckpoint(ctx, revision, reset, chunks)
}

func (h *handle) LoadCheckpoint(ctx context.Context, f func(driver.Chunk) error) (uint64, error) {
	if h.breaks.load != nil {
		return h.breaks.load(h, f)
	}
	return h.server.LoadCheckpoint(ctx, f)
}

func (h *handle) Close() error {
	if h.breaks.close != nil {
		return h.breaks.close(h)
	}
	h.cancel()
	return nil
}

func brokenHarness(b breaks) drivertest.Harness {
	return drivertest.Harness{
		OpenLog: func(context.Context) (driver.Log, error) { return newHandle(&server{Log: memory.New()}, b), nil },
		Another: func(_ context.Context, l driver.Log) (driver.Log, error) {
			return newHandle(l.(*handle).server, b), nil
		},
		Reopen: func(_ context.Context, l driver.Log) (driver.Log, error) {
			h := newHandle(l.(*handle).server, b)
			if err := l.Close(); err != nil {
				return nil, err
			}
			if b.reopened != nil {
				b.reopened(h)
			}
			return h, nil
		},
		Bubble: true,
	}
}
