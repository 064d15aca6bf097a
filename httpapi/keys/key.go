package keys

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/visible"
)

// A Role says what a key may do with its prompts.
type Role string

// The roles.
const (
	// Reader may read.
	Reader Role = "reader"
	// Writer may also save, delete, and move labels that are not protected.
	Writer Role = "writer"
	// Promoter may read, and move the labels that its key names.
	Promoter Role = "promoter"
	// Admin may do everything. If its key is for every prompt, that includes operations on the
	// whole store.
	Admin Role = "admin"
)

// Roles are all roles.
var Roles = []Role{Reader, Writer, Promoter, Admin}

// Limits of a ring and of a key.
const (
	// maxKeys is the most keys of a ring, revoked ones included: enough for a key for each
	// program and person, replaced regularly for years.
	maxKeys = 10_000
	// maxProtected is the most protections of a ring. Each move of a label compares all of
	// them.
	maxProtected = 1_000
	// maxPatterns is the most patterns of prompts of a key. A list of prompts goes through
	// all of them.
	maxPatterns = 100
	// maxLabels is the most labels of a promoter's key.
	maxLabels = 100
	// maxName is the most bytes of a name. The name becomes the author of commits; the limit
	// for authors is higher.
	maxName = 128
)

// A Key is everything about a key except its secret.
type Key struct {
	ID   string
	Name string // the author of what the key does
	Role Role
	// Prompts are the patterns of the prompts that the key is for. A pattern is an id, a
	// prefix of ids followed by *, or [Every].
	Prompts []string
	// Labels are the labels that a promoter's key may move. Keys of other roles have none.
	Labels  []string
	Created time.Time
	Expires time.Time // zero for never
	Revoked time.Time // zero if it is not revoked
	// Hash is the SHA-256 of the secret.
	Hash stet.Hash
}

// Live reports whether the key can be used at a time.
func (k *Key) Live(now time.Time) bool { return k.Revoked.IsZero() && !k.expired(now) }

func (k *Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// same reports whether two keys give the same rights to the same secret.
func (k *Key) same(o *Key) bool {
	return k.Hash == o.Hash && k.Name == o.Name && k.Role == o.Role && k.Expires.Equal(o.Expires) && k.Revoked.Equal(o.Revoked) &&
		slices.Equal(k.Prompts, o.Prompts) && slices.Equal(k.Labels, o.Labels)
}

// check returns an error if a key is not valid, so that a mistake in the file does not give
// a key other rights than its author intended.
func (k *Key) check() error {
	if !isID(k.ID) {
		return stet.Errorf(stet.CodeInvalid, "%q is not the id of a key: it is %d letters and digits.", k.ID, idSize)
	}
	if err := checkName(k.Name); err != nil {
		return err
	}
	if !slices.Contains(Roles, k.Role) {
		return stet.Errorf(stet.CodeInvalid, "%q is not a role. The roles are reader, writer, promoter and admin.", k.Role)
	}
	if len(k.Prompts) == 0 {
		return stet.Errorf(stet.CodeInvalid, "the key %q is for no prompts. Name some, such as support/*, or * for all.", k.Name)
	}
	if len(k.Prompts) > maxPatterns {
		return stet.Errorf(stet.CodeTooLarge, "the key %q has %d patterns of prompts; the limit is %d. Use prefixes, such as support/*.", k.Name, len(k.Prompts), maxPatterns)
	}
	for _, p := range k.Prompts {
		if err := checkPattern(p); err != nil {
			return err
		}
	}
	switch {
	case k.Role == Promoter && len(k.Labels) == 0:
		return stet.Errorf(stet.CodeInvalid, "the key %q is a promoter's and names no labels. Name those that it may move, such as production.", k.Name)
	case k.Role != Promoter && len(k.Labels) > 0:
		return stet.Errorf(stet.CodeInvalid, "the key %q names labels, but its role is %s. Only a promoter's key has labels. To keep writers from moving a label, protect it.", k.Name, k.Role)
	case len(k.Labels) > maxLabels:
		return stet.Errorf(stet.CodeTooLarge, "the key %q has %d labels; the limit is %d.", k.Name, len(k.Labels), maxLabels)
	}
	for _, l := range k.Labels {
		if err := stet.CheckLabel(l); err != nil {
			return err
		}
	}
	switch {
	case k.Hash.IsZero():
		return stet.Errorf(stet.CodeInvalid, "the key %q has no hash of its secret.", k.Name)
	case k.Created.IsZero():
		return stet.Errorf(stet.CodeInvalid, "the key %q does not say when it was created.", k.Name)
	}
	return nil
}

// checkName returns nil if s may be the name of a key: 1 to 128 bytes of visible text
// without spaces at its ends. Otherwise the error is invalid.
func checkName(s string) error {
	switch {
	case s == "":
		return stet.Errorf(stet.CodeInvalid, "the key has no name. Name who uses it, such as ci or ana: the name becomes the author of the key's commits.")
	case len(s) > maxName:
		return stet.Errorf(stet.CodeInvalid, "the name of the key has %d bytes; the limit is %d.", len(s), maxName)
	case !utf8.ValidString(s) || visible.Text(s) != s || strings.ContainsAny(s, "\n\t"):
		return stet.Errorf(stet.CodeInvalid, "the name %q has invisible characters. Use letters, digits, spaces and visible signs.", s)
	case strings.TrimSpace(s) != s:
		return stet.Errorf(stet.CodeInvalid, "the name %q begins or ends with a space. Remove it.", s)
	}
	return nil
}

// checkPattern returns nil if s may be a pattern of prompts: an id, a prefix of ids followed
// by *, or * for all. Otherwise the error is invalid.
//
// A * elsewhere is refused although an id may have one: who writes */triage expects the * to
// match something.
func checkPattern(s string) error {
	prefix, isPrefix := strings.CutSuffix(s, "*")
	switch {
	case s == "":
		return stet.Errorf(stet.CodeInvalid, "a pattern of prompts is empty. Write an id, a prefix such as support/*, or * for all.")
	case strings.Contains(prefix, "*"):
		return stet.Errorf(stet.CodeInvalid, "the pattern %q has a * before its end. Write an id, or a prefix followed by one *, such as support/*.", s)
	case isPrefix:
		return stet.CheckPrefix(prefix)
	}
	return stet.CheckID(s)
}

// match reports whether a pattern matches the id of a prompt.
func match(pattern, id string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(id, prefix)
	}
	return pattern == id
}

// Every is the pattern that matches all prompts.
const Every = "*"

// A Protection keeps writers from moving a label, and from deleting versions by force of the
// prompts that may have it.
type Protection struct {
	Prompts string // a pattern
	Label   string
}

func (p Protection) check() error {
	if err := checkPattern(p.Prompts); err != nil {
		return err
	}
	return stet.CheckLabel(p.Label)
}

// String describes the protection for people.
func (p Protection) String() string { return fmt.Sprintf("%s of %s", p.Label, p.Prompts) }
