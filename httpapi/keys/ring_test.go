package keys_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// TestAuthenticate: only the secret is taken, and what is wrong with another is
// not said.
func TestAuthenticate(t *testing.T) {
	p := path(t)
	secret, other := create(t, p, writer("a")), create(t, p, writer("b"))
	r := open(t, p, new(log))
	g, err := r.Authenticate(secret)
	if err != nil || g.Name() != "a" || g.ID() != secret[5:13] {
		t.Fatal(g, err)
	}
	_, unknown := r.Authenticate("stet_00000000_" + strings.Repeat("0", 43))
	for _, wrong := range []string{
		"", "stet_", secret[:len(secret)-1], secret + "0", secret[:14] + other[14:], secret[:14] + strings.Repeat("0", 43),
		"STET_" + secret[5:], " " + secret, secret[5:], strings.Replace(secret, "_", "-", 2), secret[:5] + "/" + secret[6:],
	} {
		if _, err := r.Authenticate(wrong); err == nil || err.Error() != unknown.Error() || stet.CodeOf(err) != stet.CodeUnauthorized {
			t.Errorf("%q: %v, want %v", wrong, err, unknown)
		}
	}
	if strings.Contains(readFile(t, p), secret[14:]) {
		t.Error("the file has the secret")
	}
}

// TestRevocation: within five seconds of the revocation of its key, nothing is
// begun with it, and what was begun has ended; others go on.
func TestRevocation(t *testing.T) {
	p := path(t)
	secret, other := create(t, p, writer("a")), create(t, p, writer("b"))
	synctest.Test(t, func(t *testing.T) {
		r := open(t, p, new(log))
		g, _ := r.Authenticate(secret)
		h, _ := r.Authenticate(other)
		pass(time.Hour)
		if over(g.Life()) {
			t.Fatal("it ended by itself")
		}
		update(t, p, func(f *keys.File) error { _, err := f.Revoke("a", time.Now()); return err })
		begin := time.Now()
		<-g.Life().Done()
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if _, err := r.Authenticate(secret); stet.CodeOf(err) != stet.CodeUnauthorized || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("it is taken: %v", err)
		}
		if _, err := g.Now(); stet.CodeOf(err) != stet.CodeUnauthorized {
			t.Errorf("what was begun goes on: %v", err)
		}
		if _, err := r.Authenticate(other); err != nil || over(h.Life()) {
			t.Errorf("the other key ended: %v", err)
		}
		if n, err := h.Now(); err != nil || n.Name() != "b" {
			t.Errorf("the other key ended: %v", err)
		}
	})
}

// TestExpiry: a key is not taken from the instant on that it expires.
func TestExpiry(t *testing.T) {
	p := path(t)
	synctest.Test(t, func(t *testing.T) {
		k := writer("a")
		k.Expires = time.Now().Add(time.Hour)
		secret := create(t, p, k)
		r := open(t, p, new(log))
		g, err := r.Authenticate(secret)
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Hour - time.Nanosecond)
		if _, err := r.Authenticate(secret); err != nil || over(g.Life()) {
			t.Errorf("too early: %v", err)
		}
		pass(time.Nanosecond)
		if _, err := r.Authenticate(secret); stet.CodeOf(err) != stet.CodeUnauthorized || !strings.Contains(err.Error(), "expired") {
			t.Errorf("it is taken: %v", err)
		}
		if _, err := g.Now(); err == nil {
			t.Error("a commit is taken")
		}
		pass(5 * time.Second)
		if !over(g.Life()) {
			t.Error("what was begun goes on")
		}
	})
}

// TestChanged: a key that was given other rights ends what was begun with the old
// ones; its next request has the new ones. A protection holds at once for commits.
func TestChanged(t *testing.T) {
	p := path(t)
	secret := create(t, p, writer("a"))
	synctest.Test(t, func(t *testing.T) {
		r := open(t, p, new(log))
		g, _ := r.Authenticate(secret)
		update(t, p, func(f *keys.File) error {
			_, err := f.Protect(keys.Protection{Prompts: "x/*", Label: "production"})
			return err
		})
		pass(5 * time.Second)
		if over(g.Life()) {
			t.Error("a protection ended it")
		}
		for _, tt := range []struct {
			id, label string
			want      bool
		}{{"x/a", "production", true}, {"x/a", "staging", false}, {"x/a", "", true}, {"y", "production", false}, {"y", "", false}, {"x", "production", false}} {
			if g.Protected(tt.id, tt.label) != tt.want {
				t.Errorf("protected %v: %v", tt, !tt.want)
			}
		}
		update(t, p, func(f *keys.File) error { f.Keys[0].Prompts = []string{"x/*"}; return nil })
		pass(5 * time.Second)
		if !over(g.Life()) {
			t.Error("it goes on with the old rights")
		}
		if n, err := g.Now(); err != nil || n.Sees("y") || !n.Sees("x/a") {
			t.Errorf("it has the old rights: %v", err)
		}
	})
}

// TestLastGood: while the file cannot be used the last good ring counts, and the
// log says so again and again; when it can, the new one does.
func TestLastGood(t *testing.T) {
	p := path(t)
	secret := create(t, p, writer("a"))
	good := readFile(t, p)
	synctest.Test(t, func(t *testing.T) {
		l := new(log)
		r := open(t, p, l)
		g, _ := r.Authenticate(secret)
		write(t, p, good[:len(good)-20])
		pass(5 * time.Second)
		if _, err := r.Authenticate(secret); err != nil || over(g.Life()) {
			t.Errorf("a broken file ends keys: %v", err)
		}
		if n := l.count("level=ERROR"); n != 1 {
			t.Errorf("it is told in %d lines", n)
		}
		pass(10 * time.Minute)
		if n := l.count("level=ERROR"); n < 9 || n > 12 {
			t.Errorf("in ten minutes it is told %d times", n)
		}
		update := strings.Replace(good, `"writer"`, `"reader"`, 1)
		write(t, p, update)
		pass(5 * time.Second)
		if n, err := r.Authenticate(secret); err != nil || n.Role() != keys.Reader || l.count("can be used again") != 1 {
			t.Errorf("the new file does not count, or is not told: %v", err)
		}
	})
}

// TestUnreadable: a file that cannot be read may say that a key was revoked. Within
// five seconds every key is refused, and what was begun with one has ended; when the
// file can be read again, the keys count that it has.
func TestUnreadable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "stet.db.keys")
	secret, other := create(t, p, writer("a")), create(t, p, writer("b"))
	hide := func() { // what is no directory has no file that could be missing
		if err := errors.Join(os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	show := func() {
		if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		l := new(log)
		r := open(t, p, l)
		pass(time.Hour + time.Second)
		g, _ := r.Authenticate(secret)
		h, _ := r.Authenticate(other)
		hide() // for less than that
		pass(2500 * time.Millisecond)
		if _, err := r.Authenticate(secret); err != nil || over(g.Life()) {
			t.Errorf("it is refused at once: %v", err)
		}
		show()
		pass(time.Minute)
		if _, err := r.Authenticate(secret); err != nil || over(g.Life()) || l.count("every key is refused") > 0 {
			t.Errorf("it is refused, and was not unreadable for long: %v", err)
		}

		update(t, p, func(f *keys.File) error { _, err := f.Revoke("a", time.Now()); return err })
		hide() // before anybody has looked
		pass(5 * time.Second)
		if !over(g.Life()) || !over(h.Life()) {
			t.Errorf("what was begun has ended: with the revoked key %v, with the other %v", over(g.Life()), over(h.Life()))
		}
		for name, s := range map[string]string{"revoked": secret, "other": other} {
			if _, err := r.Authenticate(s); stet.CodeOf(err) != stet.CodeUnavailable {
				t.Errorf("the %s key: %v", name, err)
			}
		}
		for name, g := range map[string]*keys.Grant{"revoked": g, "other": h} {
			if _, err := g.Now(); stet.CodeOf(err) != stet.CodeUnavailable {
				t.Errorf("a commit with the %s key: %v", name, err)
			}
		}
		if _, err := r.Authenticate("stet_"); stet.CodeOf(err) != stet.CodeUnauthorized {
			t.Errorf("no key: %v", err)
		}
		if l.count("level=ERROR") < 2 || l.count("every key is refused until") != 1 || l.count("can be used again") != 1 {
			t.Errorf("it is not told")
		}
		show()
		pass(5 * time.Second)
		if _, err := r.Authenticate(secret); stet.CodeOf(err) != stet.CodeUnauthorized {
			t.Errorf("the revoked key after that: %v", err)
		}
		if n, err := r.Authenticate(other); err != nil || over(n.Life()) || l.count("can be used again") != 2 {
			t.Errorf("the other key after that: %v", err)
		}
	})
}

// TestUnreadableOpen: whoever needs no key, since there is none, is let in no more
// when nobody knows whether there is one by now.
func TestUnreadableOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r := open(t, filepath.Join(dir, "stet.db.keys"), new(log))
		pass(time.Hour)
		if !r.Open() {
			t.Fatal("it is not open")
		}
		if err := errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if r.Open() || !over(r.OpenLife()) {
			t.Error("it is open")
		}
	})
}

// TestProcessThatSlept: what a process does not know since it did not run, it finds out
// before it refuses anybody, and a server without keys is not closed for it.
func TestProcessThatSlept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "stet.db.keys")
	synctest.Test(t, func(t *testing.T) {
		l := new(log)
		r := open(t, p, l)
		for range 3 {
			r.Sleep(time.Hour)
			pass(5 * time.Second)
			if !r.Open() || over(r.OpenLife()) {
				t.Fatal("a server without keys asks for one")
			}
		}
		secret := create(t, p, writer("a"))
		pass(5 * time.Second)
		g, err := r.Authenticate(secret)
		if err != nil {
			t.Fatal(err)
		}
		r.Sleep(time.Hour)
		pass(5 * time.Second)
		if _, err := r.Authenticate(secret); err != nil || over(g.Life()) || l.count("level=ERROR") > 0 {
			t.Errorf("it is refused: %v", err)
		}
		if err := errors.Join(os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		r.Sleep(time.Hour) // and when it wakes up there is nothing to be known
		pass(time.Second)
		if _, err := r.Authenticate(secret); stet.CodeOf(err) != stet.CodeUnavailable || !over(g.Life()) {
			t.Errorf("it is taken, though nobody can know: %v", err)
		}
	})
}

// TestGone: when the file is removed, everybody is refused and streams end; when
// it is back, they are let in again.
func TestGone(t *testing.T) {
	p := path(t)
	secret := create(t, p, writer("a"))
	good := readFile(t, p)
	synctest.Test(t, func(t *testing.T) {
		l := new(log)
		r := open(t, p, l)
		g, _ := r.Authenticate(secret)
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if _, err := r.Authenticate(secret); stet.CodeOf(err) != stet.CodeUnauthorized || !over(g.Life()) {
			t.Errorf("it is taken: %v", err)
		}
		if r.Open() {
			t.Error("everybody is let in")
		}
		if l.count("level=ERROR") != 1 {
			t.Error("it is not told")
		}
		write(t, p, good)
		pass(5 * time.Second)
		if _, err := r.Authenticate(secret); err != nil {
			t.Errorf("it is not taken: %v", err)
		}
	})
}

// TestOpen: a ring is open until the first key, and never again: not when the keys
// are revoked, nor when they are removed.
func TestOpen(t *testing.T) {
	p := path(t)
	synctest.Test(t, func(t *testing.T) {
		r := open(t, p, new(log))
		if !r.Open() {
			t.Error("it is not open without a file")
		}
		update(t, p, func(f *keys.File) error { _, err := f.Protect(keys.Protection{Prompts: "*", Label: "a"}); return err })
		pass(5 * time.Second)
		if !r.Open() {
			t.Error("it is not open without keys")
		}
		create(t, p, writer("a"))
		pass(5 * time.Second)
		if r.Open() {
			t.Error("it is open with a key")
		}
		update(t, p, func(f *keys.File) error { f.Keys = nil; return nil })
		pass(5 * time.Second)
		if r.Open() {
			t.Error("it is open again")
		}
	})
	if r := open(t, p, new(log)); !r.Open() {
		t.Error("a new ring of a file without keys is not open")
	}
}

// TestSameSizeSameTime: a change is seen that leaves size and time as they were.
func TestSameSizeSameTime(t *testing.T) {
	p := path(t)
	secret := create(t, p, writer("a"))
	synctest.Test(t, func(t *testing.T) {
		r := open(t, p, new(log))
		text := strings.Replace(readFile(t, p), `"a"`, `"b"`, 1)
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		write(t, p, text) // in place: the same file
		if err := os.Chtimes(p, time.Time{}, info.ModTime()); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if g, err := r.Authenticate(secret); err != nil || g.Name() != "b" {
			t.Errorf("the change was not seen: %v %v", g.Name(), err)
		}
		// Two changes within the grain of the clock, and a look between them.
		for _, name := range []string{`"c"`, `"d"`} {
			write(t, p, strings.Replace(text, `"b"`, name, 1))
			if err := os.Chtimes(p, time.Time{}, info.ModTime().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			pass(keys.PollEvery)
		}
		pass(5 * time.Second)
		if g, err := r.Authenticate(secret); err != nil || g.Name() != "d" {
			t.Errorf("the second change was not seen: %v %v", g.Name(), err)
		}
	})
}

// TestAnyChangeEnds: whatever changes about a key ends what was begun with it.
func TestAnyChangeEnds(t *testing.T) {
	for name, change := range map[string]func(k *keys.Key){
		"secret":  func(k *keys.Key) { k.Hash[0]++ },
		"name":    func(k *keys.Key) { k.Name = "b" },
		"role":    func(k *keys.Key) { k.Role, k.Labels = keys.Admin, nil },
		"prompts": func(k *keys.Key) { k.Prompts = []string{"a"} },
		"labels":  func(k *keys.Key) { k.Labels = []string{"b"} },
		"expires": func(k *keys.Key) { k.Expires = time.Now().Add(time.Hour) },
		"id":      func(k *keys.Key) { k.ID = "AAAAAAAA" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := path(t)
				secret := create(t, p, keys.Key{Name: "a", Role: keys.Promoter, Prompts: []string{"*"}, Labels: []string{"a"}})
				g, err := open(t, p, new(log)).Authenticate(secret)
				if err != nil {
					t.Fatal(err)
				}
				update(t, p, func(f *keys.File) error { change(&f.Keys[0]); return nil })
				pass(5 * time.Second)
				if !over(g.Life()) {
					t.Error("it goes on")
				}
			})
		})
	}
}

func TestScope(t *testing.T) {
	for _, tt := range []struct {
		patterns   string
		sees, not  string
		least, all string
	}{
		{"*", "a support/x", "", "*", "yes"},
		{"a", "a", "b ab a/b A", "a", ""},
		{"support/*", "support/x support/x/y", "support supportx x/support/x", "support/*", ""},
		{"sup*", "sup support/x", "su Sup", "sup*", ""},
		{"b a b*", "a b bc", "c", "a b*", ""},
		{"a/* a/b a/b* a/b/c c a", "a a/x c", "b", "a a/* c", ""},
		{"x y* *", "x y z", "", "*", "yes"},
		{"提示/*", "提示/分诊", "提", "提示/*", ""},
	} {
		p := path(t)
		k := writer("k")
		k.Prompts = strings.Fields(tt.patterns)
		secret := create(t, p, k)
		g, err := open(t, p, new(log)).Authenticate(secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range strings.Fields(tt.sees) {
			if !g.Sees(id) {
				t.Errorf("%s does not see %s", tt.patterns, id)
			}
		}
		for _, id := range strings.Fields(tt.not) {
			if g.Sees(id) {
				t.Errorf("%s sees %s", tt.patterns, id)
			}
		}
		if got := g.Patterns(); !slices.Equal(got, strings.Fields(tt.least)) {
			t.Errorf("%s has the least patterns %q", tt.patterns, got)
		}
		if g.SeesAll() != (tt.all == "yes") {
			t.Errorf("%s: sees all %v", tt.patterns, g.SeesAll())
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	p := b.TempDir() + "/keys"
	secret := ""
	if err := keys.Update(b.Context(), p, func(f *keys.File) (err error) {
		_, secret, err = f.Create(writer("a"), time.Now())
		return err
	}); err != nil {
		b.Fatal(err)
	}
	r, err := keys.Open(p, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Authenticate(secret); err != nil {
			b.Fatal(err)
		}
	}
}
