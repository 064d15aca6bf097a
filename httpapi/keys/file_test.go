package keys_test

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// goldenSecret is the secret of the first key of testdata/ring.v1.json.
const goldenSecret = "stet_AAAAAAAA_0000000000000000000000000000000000000000000"

func goldenFile(t *testing.T) *keys.File {
	hash := func(s string) (h stet.Hash) {
		if err := h.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return h
	}
	return &keys.File{
		Keys: []keys.Key{
			{
				ID: "AAAAAAAA", Name: "ana", Role: keys.Admin, Prompts: []string{"*"}, Created: noon,
				Hash: hash("09c97f0b0c417453b3d2dc7624dff44b037f3e79161500326c4297a1341cfd20"),
			},
			{
				ID: "z9Z9z9Z9", Name: "release <bot> é", Role: keys.Promoter, Prompts: []string{"support/*", "docs/a"}, Labels: []string{"production", "staging"},
				Created: noon.Add(time.Microsecond), Expires: noon.AddDate(0, 0, 90), Revoked: noon.Add(time.Hour),
				Hash: hash(strings.Repeat("0f", 32)),
			},
		},
		Protected: []keys.Protection{{Prompts: "support/*", Label: "production"}},
	}
}

// TestGolden: what is stored is for ever. A file that an older stet wrote is read,
// and one that this stet writes is the same, byte for byte.
func TestGolden(t *testing.T) {
	golden := readFile(t, filepath.Join("testdata", "ring.v1.json"))
	p := path(t)
	write(t, p, golden)
	f, private, err := keys.Read(p)
	if err != nil || !private {
		t.Fatal(err, private)
	}
	if want := goldenFile(t); !reflect.DeepEqual(f, want) {
		t.Errorf("the golden file says something else:\n%+v\n%+v", f, want)
	}
	if err := os.Remove(p); err != nil {
		t.Fatal(err)
	}
	update(t, p, func(f *keys.File) error { *f = *goldenFile(t); return nil })
	if now := readFile(t, p); now != golden {
		t.Errorf("it is written in another form, which needs a new version of the format:\n%s", now)
	}
	r := open(t, p, new(log))
	if g, err := r.Authenticate(goldenSecret); err != nil || g.Name() != "ana" {
		t.Errorf("the golden key is not taken any more: %v", err)
	}
}

// TestBroken: a file that makes no sense is refused with a reason, whole.
func TestBroken(t *testing.T) {
	good := readFile(t, filepath.Join("testdata", "ring.v1.json"))
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the golden file has no %s", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", "no JSON value"},
		{"cut short", good[:len(good)/2], "cut short"},
		{"two values", good + good, "follows"},
		{"zeros", strings.Repeat("\x00", 4096), "broken"},
		{"not UTF-8", swap("ana", "an\xff"), "broken"},
		{"deep", strings.Repeat("[", 100_000), "cannot be used"},
		{"another type", `[]`, "give an object"},
		{"newer", swap(`"format": 1`, `"format": 2`), "format 2, and this program knows 1"},
		{"older", swap(`"format": 1`, `"format": 0`), "format 0"},
		{"unknown member", swap(`"name": "ana"`, `"name": "ana", "only_from": "10.0.0.1"`), `no member`},
		{"member twice", swap(`"name": "ana"`, `"name": "ana", "name": "eve"`), "duplicate"},
		{"unknown role", swap(`"role": "admin"`, `"role": "owner"`), `"owner" is not a role`},
		{"no role", swap(`"role": "admin"`, `"role": ""`), `is not a role`},
		{"no prompts", swap("[\n        \"*\"\n      ]", `[]`), "is for no prompts"},
		{"star inside", swap(`"support/*"`, `"*/support"`), "before its end"},
		{"not an id", swap(`"docs/a"`, `"docs//a"`), "not a prompt id"},
		{"a selector", swap(`"docs/a"`, `"docs/a@1"`), "not a prompt id"},
		{"promoter without labels", swap("[\n        \"production\",\n        \"staging\"\n      ]", `[]`), "names no labels"},
		{"admin with labels", swap(`"role": "admin",`, `"role": "admin", "labels": ["production"],`), "Only a promoter"},
		{"not a label", swap(`"staging"`, `"latest"`), "not a label"},
		{"no id", swap(`"AAAAAAAA"`, `""`), "not the id of a key"},
		{"an id with a slash", swap(`"AAAAAAAA"`, `"AAAA/AAA"`), "not the id of a key"},
		{"an id twice", swap(`"AAAAAAAA"`, `"z9Z9z9Z9"`), "two keys have the id"},
		{"no name", swap(`"ana"`, `""`), "no name"},
		{"a name that hides", swap(`"ana"`, `"an\u202ea"`), "invisible characters"},
		{"no hash", swap(`09c97f0b0c417453b3d2dc7624dff44b037f3e79161500326c4297a1341cfd20`, strings.Repeat("0", 64)), "no hash"},
		{"half a hash", swap(`09c97f0b0c417453b3d2dc7624dff44b037f3e79161500326c4297a1341cfd20`, "09c9"), "not a hash"},
		{"no time", swap(`"created": "2026-01-02T12:00:00.000000Z"`, `"created": ""`), "when it was created"},
		{"not a time", swap(`"revoked": "2026-01-02T13:00:00.000000Z"`, `"revoked": "yes"`), "not a time"},
		{"the zero time", swap(`"revoked": "2026-01-02T13:00:00.000000Z"`, `"revoked": "0001-01-01T00:00:00Z"`), "not a time"},
		{"protects nothing", swap("\"prompts\": \"support/*\",\n      \"label\"", "\"prompts\": \"\",\n      \"label\""), "empty"},
		{"huge", good + strings.Repeat(" ", 16<<20), "no key file is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := path(t)
			write(t, p, tt.file)
			_, _, err := keys.Read(p)
			if stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Read: %v, want %q", err, tt.want)
			}
			if _, err := keys.Open(p, nil); stet.CodeOf(err) != stet.CodeInvalid {
				t.Errorf("a server begins with it: %v", err)
			}
			err = keys.Update(t.Context(), p, func(*keys.File) error { return nil })
			if stet.CodeOf(err) != stet.CodeInvalid {
				t.Errorf("it is changed: %v", err)
			}
			if readFile(t, p) != tt.file {
				t.Error("it was written over")
			}
		})
	}
}

// TestModes: what others can write is refused, what they can read is told, and
// what is written is for its owner alone.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no such modes
	}
	p := path(t)
	create(t, p, writer("a"))
	for mode, want := range map[os.FileMode]struct{ ok, private bool }{
		0o600: {true, true}, 0o400: {true, true}, 0o640: {true, false}, 0o604: {true, false}, 0o620: {false, false}, 0o602: {false, false}, 0o666: {false, false},
	} {
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		_, private, err := keys.Read(p)
		if (err == nil) != want.ok || private != want.private {
			t.Errorf("mode %v: private %v, %v", mode, private, err)
		}
	}
	if err := os.Chmod(p, 0o644); err != nil {
		t.Fatal(err)
	}
	l := new(log)
	open(t, p, l)
	if l.count("level=WARN") != 1 {
		t.Error("it is not told that others can read the file")
	}
	create(t, p, writer("b"))
	if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it is written with mode %v, %v", info.Mode(), err)
	}
	if err := keys.Update(t.Context(), filepath.Dir(p), func(*keys.File) error { return nil }); stet.CodeOf(err) != stet.CodeInvalid {
		t.Errorf("a directory is a key file: %v", err)
	}
}

// TestLink: where the file is a link, what it leads to is changed, and it stays.
func TestLink(t *testing.T) {
	p := path(t)
	create(t, p, writer("a"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(p, link); err != nil {
		t.Fatal(err)
	}
	create(t, link, writer("b"))
	if f, _, err := keys.Read(p); err != nil || len(f.Keys) != 2 {
		t.Errorf("the file was not changed: %v", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
}

// TestTogether: updates at the same time are all there in the end, and nothing is
// left beside the file.
func TestTogether(t *testing.T) {
	p := path(t)
	synctest.Test(t, func(t *testing.T) { // who waits gives up after so long, however slow the disk is
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 4 {
					name := string(rune('a'+i)) + string(rune('0'+j))
					if err := keys.Update(t.Context(), p, func(f *keys.File) error {
						_, _, err := f.Create(writer(name), time.Now())
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
	f, _, err := keys.Read(p)
	if err != nil || len(f.Keys) != 32 {
		t.Errorf("there are %d keys, %v", len(f.Keys), err)
	}
	left, err := os.ReadDir(filepath.Dir(p))
	if err != nil || len(left) != 2 { // the file and its lock
		t.Errorf("there is left: %v, %v", left, err)
	}
}

// TestRefusedUpdate: a change that is refused changes nothing, nor does one that
// cannot be written.
func TestRefusedUpdate(t *testing.T) {
	p := path(t)
	create(t, p, writer("a"))
	before := readFile(t, p)
	for name, change := range map[string]func(f *keys.File) error{
		"name taken": func(f *keys.File) error { _, _, err := f.Create(writer("a"), noon); return err },
		"expired already": func(f *keys.File) error {
			k := writer("b")
			k.Expires = noon
			_, _, err := f.Create(k, noon)
			return err
		},
		"nothing to end": func(f *keys.File) error { _, err := f.Revoke("b", noon); return err },
		"not protected":  func(f *keys.File) error { return f.Unprotect(keys.Protection{Prompts: "*", Label: "a"}) },
		"no label":       func(f *keys.File) error { _, err := f.Protect(keys.Protection{Prompts: "*", Label: "1.0"}); return err },
		"by hand":        func(f *keys.File) error { f.Keys[0].Role = ""; return nil },
	} {
		if err := keys.Update(t.Context(), p, change); err == nil {
			t.Errorf("%s: no error", name)
		}
		if readFile(t, p) != before {
			t.Errorf("%s: the file was changed", name)
		}
	}
	missing := filepath.Join(t.TempDir(), "no", "dir", "keys")
	if err := keys.Update(t.Context(), missing, func(*keys.File) error { return nil }); stet.CodeOf(err) != stet.CodeUnavailable {
		t.Errorf("a directory that is not there: %v", err)
	}
}

// TestNothingLeft: a write that fails leaves nothing beside the file.
func TestNothingLeft(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "keys") // nothing takes the place of a directory
	if err := os.MkdirAll(filepath.Join(target, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if renamed, err := keys.Replace(target, []byte("{}")); err == nil || renamed {
		t.Errorf("it was renamed: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("there is left: %v, %v", left, err)
	}
}

// TestRevoke: by id or by the name of a key that is not revoked; a name is free
// again then, and an id stays what it was.
func TestRevoke(t *testing.T) {
	f := &keys.File{}
	k, _, err := f.Create(writer("ci"), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Revoke("ci", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Revoke("ci", noon); stet.CodeOf(err) != stet.CodeNotFound {
		t.Errorf("by its name again: %v", err)
	}
	again, err := f.Revoke(k.ID, noon.Add(time.Hour))
	if err != nil || !again.Revoked.Equal(noon) {
		t.Errorf("by its id again: %v at %v", err, again.Revoked)
	}
	if _, _, err := f.Create(writer("ci"), noon); err != nil {
		t.Errorf("its name is not free: %v", err)
	}
}

// TestEnsureAdmin makes one key, once, and none where there were keys.
func TestEnsureAdmin(t *testing.T) {
	p := path(t)
	secret, err := keys.EnsureAdmin(t.Context(), p, time.Now())
	if err != nil || secret == "" {
		t.Fatal(secret, err)
	}
	g, err := open(t, p, new(log)).Authenticate(secret)
	if err != nil || g.Role() != keys.Admin || !g.SeesAll() || g.Name() != "admin" {
		t.Fatalf("%v %+v", err, g)
	}
	if again, err := keys.EnsureAdmin(t.Context(), p, time.Now()); again != "" || err != nil {
		t.Errorf("a second one: %q, %v", again, err)
	}
	update(t, p, func(f *keys.File) error { _, err := f.Revoke("admin", time.Now()); return err })
	if again, err := keys.EnsureAdmin(t.Context(), p, time.Now()); again != "" || err != nil {
		t.Errorf("after all were revoked: %q, %v", again, err)
	}
}
