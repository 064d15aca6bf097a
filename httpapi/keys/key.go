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

// A Role is what a key may do with its prompts.
type Role string

// The roles.
const (
	// Reader reads.
	Reader Role = "reader"
	// Writer also saves, deletes, and moves the labels that are not protected.
	Writer Role = "writer"
	// Promoter reads, and moves the labels that its key names.
	Promoter Role = "promoter"
	// Admin does everything; with every prompt, also what is for the whole store.
	Admin Role = "admin"
)

// Roles are all roles.
var Roles = []Role{Reader, Writer, Promoter, Admin}

// Limits of a ring and of a key.
const (
	// maxKeys is how many keys a ring has, revoked ones included: a key for each
	// program and person, with years of changing them.
	maxKeys = 10_000
	// maxProtected is how many protections a ring has. Each is looked at by each
	// move of a label.
	maxProtected = 1_000
	// maxPatterns is how many patterns of prompts a key has. A list of prompts
	// walks through them.
	maxPatterns = 100
	// maxLabels is how many labels a promoter's key has.
	maxLabels = 100
	// maxName is the most bytes of a name. It becomes the author of commits, which
	// may have more.
	maxName = 128
)

// A Key is what the file says of a key: everything but its secret.
type Key struct {
	ID   string
	Name string // the author of what the key does
	Role Role
	// Prompts are patterns of the prompts that the key is for: an id, a prefix of ids
	// with a * behind it, or [Every].
	Prompts []string
	// Labels are those that a promoter's key moves; no other role has any.
	Labels  []string
	Created time.Time
	Expires time.Time // zero for never
	Revoked time.Time // zero if it was not
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

// check refuses a key that makes no sense, so that a slip of the pen in the file
// is not a key with other rights than its writer believes.
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
		return stet.Errorf(stet.CodeTooLarge, "the key %q has %d patterns of prompts; %d is the most. Use prefixes, such as support/*.", k.Name, len(k.Prompts), maxPatterns)
	}
	for _, p := range k.Prompts {
		if err := checkPattern(p); err != nil {
			return err
		}
	}
	switch {
	case k.Role == Promoter && len(k.Labels) == 0:
		return stet.Errorf(stet.CodeInvalid, "the key %q is a promoter's and names no labels. Name those that it moves, such as production.", k.Name)
	case k.Role != Promoter && len(k.Labels) > 0:
		return stet.Errorf(stet.CodeInvalid, "the key %q names labels and is a %s's. Only a promoter has labels of its own; to keep writers from a label, protect it.", k.Name, k.Role)
	case len(k.Labels) > maxLabels:
		return stet.Errorf(stet.CodeTooLarge, "the key %q has %d labels; %d is the most.", k.Name, len(k.Labels), maxLabels)
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
		return stet.Errorf(stet.CodeInvalid, "the key %q does not say when it was made.", k.Name)
	}
	return nil
}

// checkName returns nil if s may be the name of a key: 1 to 128 bytes of visible
// text without spaces at its ends. Otherwise the error is invalid.
func checkName(s string) error {
	switch {
	case s == "":
		return stet.Errorf(stet.CodeInvalid, "the key has no name. Name who uses it, such as ci or ana: it becomes the author of what is done with it.")
	case len(s) > maxName:
		return stet.Errorf(stet.CodeInvalid, "the name of the key has %d bytes; %d is the most.", len(s), maxName)
	case !utf8.ValidString(s) || visible.Text(s) != s || strings.ContainsAny(s, "\n\t"):
		return stet.Errorf(stet.CodeInvalid, "the name %q has characters that cannot be seen. Use letters, digits, spaces and visible signs.", s)
	case strings.TrimSpace(s) != s:
		return stet.Errorf(stet.CodeInvalid, "the name %q begins or ends with a space. Leave it out.", s)
	}
	return nil
}

// checkPattern returns nil if s may be a pattern of prompts: an id, a prefix of
// ids with a * behind it, or * for all. Otherwise the error is invalid.
//
// A * elsewhere is refused, although an id may have one: whoever writes */triage
// believes it to mean something.
func checkPattern(s string) error {
	prefix, isPrefix := strings.CutSuffix(s, "*")
	switch {
	case s == "":
		return stet.Errorf(stet.CodeInvalid, "a pattern of prompts is empty. Write an id, a prefix such as support/*, or * for all.")
	case strings.Contains(prefix, "*"):
		return stet.Errorf(stet.CodeInvalid, "the pattern %q has a * before its end. Write an id, or a prefix with one * behind it, such as support/*.", s)
	case isPrefix:
		return stet.CheckPrefix(prefix)
	}
	return stet.CheckID(s)
}

// match reports whether a prompt is among those of a pattern.
func match(pattern, id string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(id, prefix)
	}
	return pattern == id
}

// Every is the pattern of all prompts.
const Every = "*"

// A Protection keeps writers from a label: they do not move it, and do not delete
// by force where it could point.
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

// String returns the protection as text for people.
func (p Protection) String() string { return fmt.Sprintf("%s of %s", p.Label, p.Prompts) }
