package client_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
)

// A stream that lags is not news: the cache knows of everything that there was when
// the server last named a revision that has come since.
func TestCacheLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		say := make(chan string)
		f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for {
				select {
				case s := <-say:
					_, _ = io.WriteString(w, s)
					_ = http.NewResponseController(w).Flush()
				case <-r.Context().Done():
					return
				}
			}
		})
		cache := client.CacheOf(f.store.Backend(), client.CacheOptions{MaxStale: time.Minute})
		defer cache.Close()
		beat := func(revision, newest int) {
			say <- fmt.Sprintf("id: s.%d\nevent: beat\ndata: {\"newest\":%d}\n\n", revision, newest)
		}
		change := func(revision int) {
			<-time.After(10 * time.Second)
			say <- fmt.Sprintf("id: s.%d\nevent: change\ndata: {\"revision\":%[1]d,\"id\":\"i\",\"time\":\"2026-01-01T00:00:00.000000Z\",\"ops\":[]}\n\n", revision)
		}
		is := func(revision uint64, fresh bool, silence time.Duration) {
			t.Helper()
			synctest.Wait()
			if st := cache.State(); st.Revision != revision || st.Fresh != fresh || st.Silence != silence {
				t.Errorf("the state is %+v, and should be fresh: %v, silence %v", st, fresh, silence)
			}
		}
		beat(0, 3) // of a long way that is not gone yet
		is(0, false, 0)
		change(1)
		is(1, false, 10*time.Second)
		change(2)
		change(3) // it is gone, and what came meanwhile is not known
		is(3, true, 30*time.Second)
		if err := cache.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		beat(3, 5)
		is(3, true, 30*time.Second)
		change(4)
		is(4, true, 40*time.Second)
		change(5)
		is(5, true, 20*time.Second)
		change(6)
		is(6, true, 30*time.Second)
		beat(6, 9)
		change(7)
		beat(7, 12) // still behind: the way to 9 counts
		change(8)
		change(9)
		is(9, true, 30*time.Second)
		beat(9, 9)
		is(9, true, 0)
		for i := range 5 {
			change(10 + i)
		}
		is(14, true, 50*time.Second)
		change(15) // whatever comes, nobody says that this is all
		is(15, false, time.Minute)
		beat(15, 15)
		is(15, true, 0)
	})
}

// A server that is never at rest does not make a cache stale.
func TestCacheOfBusyServer(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: 30 * time.Second}, func(l *cacheLab) {
		l.wantText("p", "one")
		l.requests()
		for i := range 300 {
			l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "other", Text: fmt.Sprint(i), Bump: "patch"}))
			l.after(time.Second)
			if st := l.cache.State(); st.Silence > 10*time.Second || !st.Fresh {
				l.Fatalf("after %d seconds the state is %+v", i, st)
			}
		}
		l.wantText("p", "one")
		l.wantRequests(0)
	})
}
