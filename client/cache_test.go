package client_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
)

func TestCacheHits(t *testing.T) {
	inLab(t, client.CacheOptions{}, func(l *cacheLab) {
		for range 3 {
			l.wantText("p@production", "one")
			l.wantText("p", "one")
			l.wantText("p@current", "one")
			l.wantText("p@latest", "two")
			l.wantText("p@^1", "two")
		}
		l.wantRequests(4)
		l.move("1.0.1")
		synctest.Wait() // no time goes by: the feed and one request
		l.wantText("p@production", "two")
		l.wantText("p@latest", "two")
		l.wantRequests(1)
		l.wantText("p@staging", `no label "staging"`)
		l.wantText("p@staging", `no label "staging"`)
		l.wantRequests(2) // what is not there is not remembered
		l.must(l.store.SetLabel(l.ctx, stet.By{}, stet.SetLabel{PromptID: "p", Label: "staging", Version: "1.0.0"}))
		l.wantText("p@staging", "one")
	})
}

func TestCacheOfPrefix(t *testing.T) {
	inLab(t, client.CacheOptions{Prefixes: []string{"p"}}, func(l *cacheLab) {
		l.wantRequests(1)
		l.wantText("p@production", "one")
		l.wantText("p@latest", "two")
		l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "p2", Text: "new", Labels: []string{"canary"}}))
		synctest.Wait()
		l.wantRequests(1)
		l.wantText("p2@canary", "new")
		l.wantText("p2", "new")
		l.wantRequests(0)
		l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "other", Text: "x"}))
		l.wantText("other", "x")
		l.wantText("other", "x")
		l.wantRequests(0) // both by the ordinary way
		// What changes nothing under the prefix is heard of all the same.
		l.after(time.Second)
		if st := l.cache.State(); st.Revision != 4 || !st.Fresh || st.Prompts != 2 {
			l.Errorf("the state is %+v", st)
		}
	})
}

// What does not fit into one answer is read in several, whether the server or the
// client has had enough.
func TestCacheOfLargePrefix(t *testing.T) {
	for name, tt := range map[string]struct {
		prompts, bytes int
		labels         []string
		o              client.Options
	}{
		"too large for the server": {20, 900 << 10, nil, client.Options{}},
		"too large for the client": {40, 10 << 10, []string{"production", "a", "b"}, client.Options{MaxAnswer: 64 << 10}},
		"each fits only alone":     {10, 40 << 10, []string{"production", "a", "b"}, client.Options{MaxAnswer: 64 << 10}},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, client.CacheOptions{}, func(l *cacheLab) {
				text := strings.Repeat("x", tt.bytes)
				for i := range tt.prompts {
					l.must(l.store.Save(l.ctx, stet.Draft{PromptID: fmt.Sprint("big/", i), Text: fmt.Sprint(i, text), Labels: tt.labels}))
				}
				cache := l.newCache(tt.o, client.CacheOptions{Prefixes: []string{"big/"}, MaxStale: time.Hour})
				defer cache.Close()
				if n := l.requests(); n > 4*tt.prompts {
					l.Errorf("it took %d requests", n)
				}
				l.cut()
				defer l.mend()
				for i := range tt.prompts {
					l.wantTextOf(cache, fmt.Sprintf("big/%d", i), fmt.Sprint(i, text))
				}
			})
		})
	}
}

// Trap 8: what changes between the reading and the following is not lost, and
// trap 9: an answer that was read before a change and comes after it does not stay.
func TestCacheFillBesideChange(t *testing.T) {
	inLab(t, client.CacheOptions{}, func(l *cacheLab) {
		hold := make(chan struct{})
		l.set(func() { l.hold = hold })
		done := make(chan struct{})
		go func() { // reads the first version, and is held up on its way back
			defer close(done)
			l.wantText("p@production", "one")
		}()
		synctest.Wait()
		l.set(func() { l.hold = nil })
		l.move("1.0.1")
		synctest.Wait() // the feed has brought it, and there was nothing to evict
		close(hold)
		<-done
		synctest.Wait()
		l.wantText("p@production", "two")

		// Nor does a reading anew that is overtaken by another change.
		hold = make(chan struct{})
		l.set(func() { l.hold = hold })
		l.move("1.0.0")
		synctest.Wait()
		l.wantText("p@production", "two") // milliseconds behind
		l.set(func() { l.hold = nil })
		l.move("1.0.1")
		l.move("1.0.0")
		l.move("1.0.1")
		synctest.Wait()
		close(hold)
		synctest.Wait()
		l.wantText("p@production", "two")
		if st := l.cache.State(); st.Pending != 0 {
			l.Errorf("%d prompts are still to be read", st.Pending)
		}
	})
}

// Trap 10: a reading anew that fails does not keep the old answer for ever.
func TestCacheRefreshFails(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: 20 * time.Second}, func(l *cacheLab) {
		l.wantText("p@production", "one")
		l.set(func() { l.fail = true })
		l.move("1.0.1")
		l.after(10 * time.Second)
		l.wantText("p@production", "one")
		if st := l.cache.State(); st.Pending != 1 || st.Err == nil || !st.Fresh {
			l.Errorf("nothing tells that the answer is old: %+v", st)
		}
		l.after(12 * time.Second)
		l.wantText("p@production", "unavailable")
		l.set(func() { l.fail = false })
		l.wantText("p@production", "two")
		l.after(longest)
		if st := l.cache.State(); st.Pending != 0 || st.Err != nil {
			l.Errorf("it has not caught up: %+v", st)
		}
	})
}

// longest is more than any pause of the client.
const longest = 25 * time.Second

func TestCacheWithoutServer(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: time.Minute}, func(l *cacheLab) {
		l.wantText("p@production", "one")
		l.cut()
		l.move("1.0.1") // that nobody hears of
		l.after(40 * time.Second)
		l.wantText("p@production", "one")
		if st := l.cache.State(); st.Silence < 40*time.Second || st.Err == nil || !st.Fresh || st.Revision != 2 {
			l.Errorf("the state is %+v", st)
		}
		l.after(30 * time.Second)
		l.wantText("p@production", "has had no news for more than its MaxStale of 1m0s (the last news was")
		l.wantText("p@production", "cannot be reached")
		if st := l.cache.State(); st.Fresh {
			l.Errorf("the state is %+v", st)
		}
		l.mend()
		l.wantText("p@production", "two") // at once, from the server itself
		l.after(longest)
		l.requests()
		l.wantText("p@production", "two")
		l.wantRequests(0)
		if st := l.cache.State(); st.Silence > 20*time.Second || st.Err != nil || !st.Fresh || st.Revision != 3 {
			l.Errorf("the state is %+v", st)
		}
	})
}

// A server that is there and says nothing is gone, too.
func TestCacheMuteServer(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: 30 * time.Second}, func(l *cacheLab) {
		l.wantText("p", "one")
		l.set(func() { l.mute = true })
		l.move("1.0.1")
		l.after(29 * time.Second)
		l.wantText("p", "one")
		l.after(12 * time.Second) // there was a beat just before
		l.wantText("p", "two")    // what is asked for at the server is right
		if st := l.cache.State(); st.Fresh || st.Err == nil || !strings.Contains(st.Err.Error(), "has sent nothing for 30s") {
			l.Errorf("the state is %+v", st)
		}
		l.set(func() { l.mute = false })
		l.after(2 * longest)
		if st := l.cache.State(); !st.Fresh || st.Err != nil || st.Revision != 3 {
			l.Errorf("the state is %+v", st)
		}
		l.wantText("p", "two")
	})
}

// Beats keep a cache fresh.
func TestCacheBeats(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: 30 * time.Second}, func(l *cacheLab) {
		l.wantText("p", "one")
		l.after(10 * time.Minute)
		if st := l.cache.State(); st.Silence > 10*time.Second || !st.Fresh {
			l.Errorf("the state is %+v", st)
		}
		l.requests()
		l.wantText("p", "one")
		l.wantRequests(0)
	})
}

func TestCacheDeletes(t *testing.T) {
	inLab(t, client.CacheOptions{}, func(l *cacheLab) {
		l.wantText("p@1.0.1", "two")
		l.wantText("p@production", "one")
		l.must(l.store.Delete(l.ctx, stet.By{}, stet.Delete{PromptID: "p", Version: "1.0.1"}))
		synctest.Wait()
		l.wantText("p@1.0.1", "was deleted")
		l.wantText("p@production", "one")
		l.must(l.store.Delete(l.ctx, stet.By{}, stet.Delete{PromptID: "p", Force: true}))
		synctest.Wait()
		l.wantText("p@production", "not_found")
		l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "p", Text: "again"}))
		l.wantText("p", "again")
		l.must(nil, l.store.Clear(l.ctx, stet.By{}))
		synctest.Wait()
		l.wantText("p", "not_found")
		if st := l.cache.State(); st.Prompts != 0 {
			l.Errorf("after a clear there are %+v", st)
		}
	})
}

// What was begun for the store before a clear comes to nothing after it.
func TestCacheClearedBesideRead(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: time.Hour}, func(l *cacheLab) {
		big := func(text string) stet.Draft {
			return stet.Draft{PromptID: "big", Text: strings.Repeat(text, 1<<19)}
		}
		l.must(l.store.Save(l.ctx, big("x")))
		l.must(l.cache.Get(l.ctx, "big"))
		hold := make(chan struct{})
		l.set(func() { l.hold = hold })
		l.must(l.store.Save(l.ctx, big("y")))
		synctest.Wait() // the reader has asked, and is held up
		l.must(nil, l.store.Clear(l.ctx, stet.By{}))
		l.must(l.store.Save(l.ctx, stet.Draft{PromptID: "big", Text: "small"}))
		synctest.Wait() // the feed has brought it: a new index
		l.set(func() { l.hold = nil })
		l.cut() // and the request fails
		l.after(5 * time.Second)
		l.mend()
		l.after(time.Minute)
		if st := l.cache.State(); st.Bytes != 0 || st.Prompts != 0 || st.Pending != 0 {
			l.Errorf("of a store that was cleared it keeps %+v", st)
		}
		l.wantText("big", "small")
		if st := l.cache.State(); st.Bytes <= 0 || st.Bytes > 2000 || st.Prompts != 1 || st.Pending != 0 {
			l.Errorf("of one small prompt it keeps %+v", st)
		}
	})
}

// Who writes through the cache sees it, though the feed has not come yet.
func TestCacheOwnWrites(t *testing.T) {
	inLab(t, client.CacheOptions{}, func(l *cacheLab) {
		l.wantText("p@production", "one")
		l.wantText("p@latest", "two")
		hold := make(chan struct{})
		l.set(func() { l.hold = hold })
		late := make(chan struct{})
		go func() { // an older answer is on its way
			defer close(late)
			_, _ = l.cache.Get(l.ctx, "p@^1")
		}()
		synctest.Wait()
		l.set(func() { l.hold = nil })
		l.must(l.cache.SetLabel(l.ctx, stet.By{}, stet.SetLabel{PromptID: "p", Label: "production", Version: "1.0.1"}))
		l.wantText("p@production", "two")
		l.must(l.cache.Save(l.ctx, stet.Draft{PromptID: "p", Text: "three"}))
		l.wantText("p@latest", "three")
		close(hold)
		<-late
		l.wantText("p@latest", "three")
		l.wantText("p@^1", "three")
		l.must(nil, l.cache.Clear(l.ctx, stet.By{}))
		l.wantText("p@latest", "not_found")
	})
}

// Nor does an answer that was on its way undo a write of one's own, though the feed
// is late.
func TestCacheOwnWriteBesideFill(t *testing.T) {
	inLab(t, client.CacheOptions{}, func(l *cacheLab) {
		l.set(func() { l.mute = true })
		hold, late := make(chan struct{}), make(chan struct{})
		l.set(func() { l.hold = hold })
		go func() {
			defer close(late)
			_, _ = l.cache.Get(l.ctx, "p@production")
		}()
		synctest.Wait()
		l.set(func() { l.hold = nil })
		l.must(l.cache.SetLabel(l.ctx, stet.By{}, stet.SetLabel{PromptID: "p", Label: "production", Version: "1.0.1"}))
		close(hold)
		<-late
		l.wantText("p@production", "two")
	})
}

// What has changed while the cache was without news for too long is not given out
// as it was, when there is news again and it could not be read yet.
func TestCacheAfterStale(t *testing.T) {
	inLab(t, client.CacheOptions{MaxStale: 30 * time.Second}, func(l *cacheLab) {
		l.wantText("p@production", "one")
		l.cut()
		l.move("1.0.1")
		l.after(40 * time.Second)
		l.set(func() { l.fail = true })
		l.mend()
		l.after(longest)
		if st := l.cache.State(); !st.Fresh {
			l.Errorf("the state is %+v", st)
		}
		l.wantText("p@production", "unavailable")
		l.set(func() { l.fail = false })
		l.wantText("p@production", "two")
	})
}

// A store that was restored at the same address has another id: nothing of the old
// one is given out.
func TestCacheOtherStore(t *testing.T) {
	inLab(t, client.CacheOptions{}, func(l *cacheLab) {
		l.wantText("p@production", "one")
		other := l.open()
		defer other.Close()
		for i := range 5 {
			l.must(other.Save(l.ctx, stet.Draft{PromptID: "p", Text: fmt.Sprint("restored ", i), Labels: []string{"production"}, Bump: "patch"}))
		}
		old := l.api
		l.set(func() { l.api = httpapi.New(other, nil) })
		_ = old.Close()
		l.after(longest)
		l.wantText("p@production", "restored 4")
		l.must(other.SetLabel(l.ctx, stet.By{}, stet.SetLabel{PromptID: "p", Label: "production", Version: "1.0.0"}))
		synctest.Wait()
		l.wantText("p@production", "restored 0")
	})
}

func TestCacheIsBounded(t *testing.T) {
	inLab(t, client.CacheOptions{MaxBytes: 50_000}, func(l *cacheLab) {
		for i := range 100 {
			l.must(l.store.Save(l.ctx, stet.Draft{PromptID: fmt.Sprint("q", i), Text: strings.Repeat("x", 2000)}))
		}
		for i := range 100 {
			l.wantText(fmt.Sprint("q", i), strings.Repeat("x", 2000))
			l.wantText("p", "one") // what is asked for stays
		}
		st := l.cache.State()
		if st.Bytes > 50_000 || st.Prompts < 10 {
			l.Errorf("it keeps %d prompts and %d bytes", st.Prompts, st.Bytes)
		}
		l.requests()
		l.wantText("p", "one")
		l.wantRequests(0)
	})
}

func TestCacheOptions(t *testing.T) {
	t.Parallel()
	_, err := client.OpenCached(t.Context(), "http://127.0.0.1:1", &client.CacheOptions{MaxStale: client.MinMaxStale - 1})
	if stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("a cache with too small a MaxStale is answered with %v", err)
	}
}
