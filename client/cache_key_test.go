package client_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/httpapi/keys"
)

// A keyedLab is a lab whose server asks for a key.
type keyedLab struct {
	*cacheLab
	file  string
	cache *client.Cache // of a reader's key
}

func inKeyedLab(t *testing.T, prompts []string, test func(l *keyedLab)) {
	inLab(t, client.CacheOptions{}, func(lab *cacheLab) {
		l := &keyedLab{cacheLab: lab, file: filepath.Join(t.TempDir(), "keys")}
		secret := ""
		l.must(nil, keys.Update(l.ctx, l.file, func(f *keys.File) (err error) {
			_, secret, err = f.Create(keys.Key{Name: "app", Role: keys.Reader, Prompts: prompts}, time.Now())
			return err
		}))
		ring, err := keys.Open(l.file, &keys.Options{Log: slog.New(slog.DiscardHandler)})
		l.must(nil, err)
		defer ring.Close()
		open := l.api
		defer open.Close()
		l.set(func() { l.api = httpapi.New(l.store, &httpapi.Options{Keys: ring}) })
		l.save("a", "a1")
		l.save("b", "b1")
		l.cache = l.newCache(client.Options{Key: secret}, client.CacheOptions{MaxStale: time.Minute})
		l.wantText("a", "a1")
		l.wantText("b", "b1")
		test(l)
		if err := l.cache.Close(); err != nil {
			l.Error(err)
		}
	})
}

func (l *keyedLab) wantText(ref, want string) { l.Helper(); l.wantTextOf(l.cache, ref, want) }

func (l *keyedLab) save(id, text string) {
	l.must(l.store.Save(l.ctx, stet.Draft{PromptID: id, Text: text}))
}

// key changes the key, and waits until the server and the cache have noticed.
func (l *keyedLab) key(change func(k *keys.Key)) {
	l.must(nil, keys.Update(l.ctx, l.file, func(f *keys.File) error { change(&f.Keys[0]); return nil }))
	l.after(longest)
}

func scope(prompts ...string) func(*keys.Key) {
	return func(k *keys.Key) { k.Prompts = prompts }
}

// What a key does not see any more is not given out as it was when it did, nor when
// it sees it again.
func TestCacheOfNarrowedKey(t *testing.T) {
	inKeyedLab(t, []string{"a", "b"}, func(l *keyedLab) {
		l.key(scope("a"))
		l.wantText("b", "forbidden")
		l.wantText("a", "a1")
		l.save("b", "b2")
		l.save("a", "a2")
		l.after(time.Second)
		l.wantText("b", "forbidden")
		l.wantText("a", "a2")
		l.key(scope("*"))
		l.wantText("b", "b2")
		l.save("b", "b3")
		l.after(0)
		l.wantText("b", "b3")
	})
}

// A key may be given other rights while there is no connection, of which no stream
// can tell.
func TestCacheOfKeyNarrowedUnseen(t *testing.T) {
	inKeyedLab(t, []string{"*"}, func(l *keyedLab) {
		l.cut()
		l.key(scope("a"))
		l.wantText("b", "b1") // nothing has come for less than MaxStale
		l.save("b", "b2")
		l.mend()
		l.after(longest)
		l.wantText("b", "forbidden")
		l.wantText("a", "a1")

		l.cut()
		l.key(scope("a", "b"))
		l.mend()
		l.after(longest)
		l.wantText("b", "b2")
		l.wantText("a", "a1")

		// The same rights as before: nothing was missed, and nothing is read again.
		l.cut()
		l.save("a", "a2")
		l.after(longest)
		l.mend()
		l.after(longest)
		l.requests()
		l.wantText("a", "a2")
		l.wantText("b", "b2")
		l.wantRequests(0)
	})
}

// With a key that was revoked nothing is given out, from memory neither.
func TestCacheOfRevokedKey(t *testing.T) {
	inKeyedLab(t, []string{"*"}, func(l *keyedLab) {
		l.key(func(k *keys.Key) { k.Revoked = time.Now() })
		l.wantText("a", "unauthorized")
		if st := l.cache.State(); st.Fresh || st.Err == nil || st.Prompts != 0 {
			l.Errorf("the state is %+v", st)
		}
		l.save("a", "a2")
		l.key(func(k *keys.Key) { k.Revoked = time.Time{} }) // by mistake
		l.wantText("a", "a2")
		if st := l.cache.State(); !st.Fresh || st.Err != nil {
			l.Errorf("the state is %+v", st)
		}
	})
}
