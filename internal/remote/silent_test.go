package remote_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/internal/remote"
)

func openStore(t *testing.T, log driver.Log) *stet.Store {
	t.Helper()
	s, err := core.Open(t.Context(), log, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func save(t *testing.T, s *stet.Store, id string) {
	t.Helper()
	if _, err := s.Save(context.Background(), stet.Draft{PromptID: id, Text: "x", Bump: stet.BumpPatch}); err != nil {
		t.Fatal(err)
	}
}

// A silent connection, with a healthy one beside it a moment later, costs callers six
// seconds at most, readers and writers alike, be nothing or everything at rest.
func TestSilentPath(t *testing.T) {
	for _, busy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := remote.NewServer(remote.Faults{})
			near, far := server.Open(), server.Open()
			a, b := openStore(t, near), openStore(t, far)
			save(t, a, "a")
			save(t, b, "b")
			synctest.Wait()

			far.SetSilent(true)
			if busy {
				save(t, a, "a") // b's follower is told, and its question has no answer
			}
			began := time.Now()
			done := make(chan error, 2)
			go func() {
				_, err := b.Save(context.Background(), stet.Draft{PromptID: "b", Text: "y"})
				done <- err
			}()
			go func() {
				_, err := b.Get(context.Background(), "a")
				done <- err
			}()
			synctest.Wait() // both are under way
			far.SetSilent(false)
			for range 2 {
				if err := <-done; err != nil && stet.CodeOf(err) != stet.CodeUnavailable {
					t.Error(err)
				}
			}
			if _, err := b.Get(context.Background(), "a"); err != nil {
				t.Error(err)
			}
			save(t, b, "b")
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("busy %t: reads and saves were back after %v", busy, took)
			}
		})
	}
}

// A notification that is lost for good delays what others see by two seconds.
func TestLostNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := remote.NewServer(remote.Faults{})
		log := server.Open()
		a, b := openStore(t, server.Open()), openStore(t, log)
		synctest.Wait()
		log.SetDeaf(true)
		save(t, a, "a")
		began := time.Now()
		if _, _, err := b.GetMany(context.Background(), []string{"a"}, stet.ReadOptions{Local: true, MinRevision: 1}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the local state has the change after %v", took)
		}
	})
}

// growing is a log to which somebody else appends before each answer to Read.
type growing struct {
	driver.Log
	append func()
}

func (l *growing) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	l.append()
	return l.Log.Read(ctx, after, limit)
}

// Reads end beside somebody who appends faster than they can follow.
func TestCatchingUpEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := remote.NewServer(remote.Faults{})
		a := openStore(t, server.Open())
		save(t, a, "a")
		n := 0
		b := openStore(t, &growing{server.Open(), func() {
			if n++; n < 10_000 { // without an end of it a failure would hang
				save(t, a, "a")
			}
		}})
		for range 3 {
			if _, err := b.Get(context.Background(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		if n >= 10_000 {
			t.Errorf("three reads read %d pages", n)
		}
	})
}

// faulty is a log of which some calls fail.
type faulty struct {
	driver.Log
	appends []error // of the first appends, nil for one that goes through
	body    error
}

func (l *faulty) Append(ctx context.Context, prev driver.Tail, entries []driver.Entry) error {
	if len(l.appends) > 0 {
		err := l.appends[0]
		if l.appends = l.appends[1:]; err != nil {
			return err
		}
	}
	return l.Log.Append(ctx, prev, entries)
}

func (l *faulty) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	if l.body != nil {
		return driver.Body{}, l.body
	}
	return l.Log.Body(ctx, ref)
}

// An attempt that was lost, and then one that was not applied, are not the end: the third
// settles what became of the first.
func TestNotAppliedAfterLost(t *testing.T) {
	lost, not := errors.New("no answer"), fmt.Errorf("%w: a failover", driver.ErrNotApplied)
	for _, before := range [][]error{{lost, not}, {lost, not, not}, {lost, not, lost}} {
		synctest.Test(t, func(t *testing.T) {
			s := openStore(t, &faulty{Log: remote.NewServer(remote.Faults{}).Open(), appends: before})
			save(t, s, "a")
		})
	}
}

// A text that a shared engine cannot read now is unavailable: nothing is broken.
func TestBodyDuringFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := remote.NewServer(remote.Faults{})
		save(t, openStore(t, server.Open()), "a")
		s := openStore(t, &faulty{Log: server.Open(), body: errors.New("the connection was reset")})
		if _, err := s.Get(context.Background(), "a"); stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("the error is %v", err)
		}
	})
}

// counting counts the entries that are read from a log.
type counting struct {
	*remote.Log
	read, bodies atomic.Int64
}

func (l *counting) Read(ctx context.Context, after uint64, limit int) ([]driver.Entry, error) {
	entries, err := l.Log.Read(ctx, after, limit)
	l.read.Add(int64(len(entries)))
	return entries, err
}

func (l *counting) Body(ctx context.Context, ref driver.BodyRef) (driver.Body, error) {
	l.bodies.Add(1)
	return l.Log.Body(ctx, ref)
}

// Nobody reads back what this process has appended: neither its follower nor a reader who
// asks for the tail meanwhile, nor then a bump that compares with the text before it.
func TestOwnAppendsAreNotReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &counting{Log: remote.NewServer(remote.Faults{}).Open()}
		s := openStore(t, log)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 50 {
					id := fmt.Sprint("p", i)
					if _, err := s.Save(context.Background(), stet.Draft{PromptID: id, Text: fmt.Sprint("text ", n)}); err != nil {
						t.Error(err)
					}
					if _, err := s.Get(context.Background(), fmt.Sprintf("p%d", (i+1)%8)); err != nil && stet.CodeOf(err) != stet.CodeNotFound {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if entries, bodies := log.read.Load(), log.bodies.Load(); entries != 0 || bodies != 0 {
			t.Errorf("%d entries and %d texts of this process's own were read back", entries, bodies)
		}
	})
}
