package keys

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/stet-dev/stet"
)

// format is the version of the file format. A file of another version is refused: it may limit
// a key in a way that this program does not know.
const format = 1

// maxFile is the most bytes of a file: several times what maxKeys keys of the usual size take.
const maxFile = 16 << 20

// A File is the content of a key file.
type File struct {
	Keys      []Key // in the order in which they were created
	Protected []Protection
}

// The file in JSON. Times are strings, as everywhere in stet.
type (
	fileJSON struct {
		Format    int              `json:"format"`
		Keys      []keyJSON        `json:"keys"`
		Protected []protectionJSON `json:"protected"`
	}
	keyJSON struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"`
		Role    Role      `json:"role"`
		Prompts []string  `json:"prompts"`
		Labels  []string  `json:"labels,omitempty"`
		Created string    `json:"created"`
		Expires string    `json:"expires,omitempty"`
		Revoked string    `json:"revoked,omitempty"`
		Hash    stet.Hash `json:"sha256"`
	}
	protectionJSON struct {
		Prompts string `json:"prompts"`
		Label   string `json:"label"`
	}
)

// decode decodes and checks a whole file. The error is invalid or too_large.
func decode(data []byte) (*File, error) {
	// A file of a later format may have unknown members. The error must then name the
	// format and not a member.
	var version struct {
		Format int `json:"format"`
	}
	if json.Unmarshal(data, &version) == nil && version.Format > format {
		return nil, stet.Errorf(stet.CodeInvalid, "the key file has the format %d, and this program knows %d. Use a newer stet.", version.Format, format)
	}
	var j fileJSON
	if err := stet.DecodeAll(bytes.NewReader(data), &j); err != nil {
		return nil, err
	}
	if j.Format != format {
		return nil, stet.Errorf(stet.CodeInvalid, "the key file has the format %d; there is only %d.", j.Format, format)
	}
	f := &File{}
	for i := range j.Keys {
		k, err := j.Keys[i].key()
		if err != nil {
			return nil, err
		}
		f.Keys = append(f.Keys, k)
	}
	for _, p := range j.Protected {
		f.Protected = append(f.Protected, Protection(p))
	}
	return f, f.check()
}

func (j *keyJSON) key() (Key, error) {
	k := Key{ID: j.ID, Name: j.Name, Role: j.Role, Prompts: j.Prompts, Labels: j.Labels, Hash: j.Hash}
	for _, t := range []struct {
		what, text string
		to         *time.Time
	}{{"created", j.Created, &k.Created}, {"expires", j.Expires, &k.Expires}, {"revoked", j.Revoked, &k.Revoked}} {
		if t.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil || at.IsZero() {
			return k, stet.Errorf(stet.CodeInvalid, "the key %q was %s at %q, which is not a time. Write it as 2026-01-02T15:04:05Z.", j.Name, t.what, t.text)
		}
		*t.to = at.UTC()
	}
	return k, nil
}

// encode returns the file as JSON.
func (f *File) encode() ([]byte, error) {
	j := fileJSON{Format: format, Keys: []keyJSON{}, Protected: []protectionJSON{}}
	for i := range f.Keys {
		k := &f.Keys[i]
		j.Keys = append(j.Keys, keyJSON{
			ID: k.ID, Name: k.Name, Role: k.Role, Prompts: k.Prompts, Labels: k.Labels,
			Created: timeText(k.Created), Expires: timeText(k.Expires), Revoked: timeText(k.Revoked), Hash: k.Hash,
		})
	}
	for _, p := range f.Protected {
		j.Protected = append(j.Protected, protectionJSON(p))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(j)
	return b.Bytes(), err
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stet.FormatTime(t)
}

// check returns an error if a key or a protection is invalid, or two keys conflict.
func (f *File) check() error {
	switch {
	case len(f.Keys) > maxKeys:
		return stet.Errorf(stet.CodeTooLarge, "the ring has %d keys; the limit is %d. Remove revoked keys from the file.", len(f.Keys), maxKeys)
	case len(f.Protected) > maxProtected:
		return stet.Errorf(stet.CodeTooLarge, "the ring protects %d labels; the limit is %d. Use prefixes, such as support/*.", len(f.Protected), maxProtected)
	}
	ids := make(map[string]bool, len(f.Keys))
	names := make(map[string]string, len(f.Keys))
	for i := range f.Keys {
		k := &f.Keys[i]
		if err := k.check(); err != nil {
			return err
		}
		if ids[k.ID] {
			return stet.Errorf(stet.CodeInvalid, "two keys have the id %s.", k.ID)
		}
		ids[k.ID] = true
		if !k.Revoked.IsZero() {
			continue
		}
		if id, taken := names[k.Name]; taken {
			return stet.Errorf(stet.CodeConflict, "there is already a key named %q (%s). Choose another name, or revoke it first: stet key revoke %s", k.Name, id, id)
		}
		names[k.Name] = k.ID
	}
	for _, p := range f.Protected {
		if err := p.check(); err != nil {
			return err
		}
	}
	return nil
}

// Create adds a key with the name, role, prompts, labels and expiry of k. It returns the key
// and its secret, which is not stored. The error is invalid or too_large, or a conflict if a
// key with that name is not revoked.
func (f *File) Create(k Key, now time.Time) (Key, string, error) {
	secret := ""
	k.Created, k.Revoked = now.UTC().Truncate(time.Microsecond), time.Time{}
	k.Expires = k.Expires.UTC().Truncate(time.Microsecond)
	if k.expired(now) {
		return Key{}, "", stet.Errorf(stet.CodeInvalid, "the key would expire at %s, which is in the past. Give a time in the future.", stet.FormatTime(k.Expires))
	}
	for secret == "" || f.find(k.ID) != nil {
		k.ID, secret = newSecret()
	}
	k.Hash = hashSecret(secret)
	next := File{append(slices.Clip(f.Keys), k), f.Protected}
	if err := next.check(); err != nil {
		return Key{}, "", err
	}
	f.Keys = next.Keys
	return k, secret, nil
}

func (f *File) find(id string) *Key {
	for i := range f.Keys {
		if f.Keys[i].ID == id {
			return &f.Keys[i]
		}
	}
	return nil
}

// Revoke revokes a key by its id, or by its name if it is not revoked yet. A key that is
// already revoked stays as it is. The error is not_found if there is no such key.
func (f *File) Revoke(idOrName string, now time.Time) (Key, error) {
	k := f.find(idOrName)
	for i := range f.Keys {
		if k == nil && f.Keys[i].Name == idOrName && f.Keys[i].Revoked.IsZero() {
			k = &f.Keys[i]
		}
	}
	if k == nil {
		return Key{}, stet.Errorf(stet.CodeNotFound, "there is no key with the id or name %q that is not revoked. See: stet key list", idOrName)
	}
	if k.Revoked.IsZero() {
		k.Revoked = now.UTC().Truncate(time.Microsecond)
	}
	return *k, nil
}

// Protect adds a protection and reports whether it is new.
func (f *File) Protect(p Protection) (bool, error) {
	if slices.Contains(f.Protected, p) {
		return false, nil
	}
	next := File{f.Keys, append(slices.Clip(f.Protected), p)}
	if err := next.check(); err != nil {
		return false, err
	}
	f.Protected = next.Protected
	return true, nil
}

// Unprotect removes a protection. The error is not_found if there is no such protection.
func (f *File) Unprotect(p Protection) error {
	i := slices.Index(f.Protected, p)
	if i < 0 {
		return stet.Errorf(stet.CodeNotFound, "%s is not protected by these words. See: stet key list", p)
	}
	f.Protected = slices.Delete(slices.Clone(f.Protected), i, i+1)
	return nil
}
