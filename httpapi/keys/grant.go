package keys

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// A Grant says what a key allowed when it was authenticated. It does not change; Now returns
// what the key allows now. Its methods may be called by many goroutines at once.
type Grant struct {
	ring *Ring
	key  *Key
	all  bool // every prompt
	mark string
	life *life
}

func equal(a, b stet.Hash) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

func all(patterns []string) bool { return slices.Contains(patterns, Every) }

// ID is the key's id, which is not secret.
func (g *Grant) ID() string { return g.key.ID }

// Name is the key's name: the author of what it does.
func (g *Grant) Name() string { return g.key.Name }

// Role is the key's role.
func (g *Grant) Role() Role { return g.key.Role }

// SeesAll reports whether the key is for every prompt.
func (g *Grant) SeesAll() bool { return g.all }

// Sees reports whether the key is for a prompt.
func (g *Grant) Sees(id string) bool {
	return g.all || slices.ContainsFunc(g.key.Prompts, func(p string) bool { return match(p, id) })
}

// Scope returns the patterns of the key's prompts, for people.
func (g *Grant) Scope() string { return strings.Join(g.key.Prompts, ", ") }

// HasLabel reports whether a label is among those of a promoter's key.
func (g *Grant) HasLabel(label string) bool { return slices.Contains(g.key.Labels, label) }

// Labels returns the labels of a promoter's key, for people.
func (g *Grant) Labels() string { return strings.Join(g.key.Labels, ", ") }

// Patterns returns the smallest list of patterns that together match the key's prompts, in
// the order of the ids. No two match the same prompt. The caller may change the slice.
func (g *Grant) Patterns() []string {
	patterns := slices.Clone(g.key.Prompts)
	slices.SortFunc(patterns, func(a, b string) int {
		pa, pb := strings.TrimSuffix(a, "*"), strings.TrimSuffix(b, "*")
		if pa != pb {
			return strings.Compare(pa, pb)
		}
		return strings.Compare(b, a) // "a*" before "a", which it covers
	})
	var least []string
	for _, p := range patterns {
		if n := len(least); n == 0 || !match(least[n-1], strings.TrimSuffix(p, "*")) || !strings.HasSuffix(least[n-1], "*") && least[n-1] != p {
			least = append(least, p)
		}
	}
	return least
}

// ScopeMark is a short hash of the key's prompts.
func (g *Grant) ScopeMark() string { return g.mark }

func scopeMark(patterns []string) string {
	sum := sha256.Sum256([]byte(strings.Join(patterns, "\n"))) // no pattern has a line feed
	return hex.EncodeToString(sum[:8])
}

// Protected reports whether a label of a prompt is protected; with "", whether any is.
func (g *Grant) Protected(id, label string) bool {
	return slices.ContainsFunc(g.ring.state.Load().file.Protected, func(p Protection) bool {
		return (label == "" || p.Label == label) && match(p.Prompts, id)
	})
}

// Life is a context that is done when the key is revoked, expires or changes, so that what
// was started with the key ends then. That takes up to PollEvery.
func (g *Grant) Life() context.Context { return g.life.ctx }

// Now returns what the key allows now, for a caller that was authenticated earlier. The error
// is unauthorized if the key is no longer valid, and unavailable while the file cannot be
// read.
func (g *Grant) Now() (*Grant, error) {
	s := g.ring.state.Load()
	if s.stale {
		return nil, errStale()
	}
	now := s.grants[g.key.ID]
	if now == nil || now.key.Hash != g.key.Hash {
		return nil, stet.Errorf(stet.CodeUnauthorized, "the key no longer exists. Ask for another.")
	}
	return now, now.refusal(g.ring.o.Now())
}

// refusal returns nil if the key can be used, otherwise why it cannot.
func (g *Grant) refusal(now time.Time) error {
	switch {
	case !g.key.Revoked.IsZero():
		return stet.Errorf(stet.CodeUnauthorized, "the key was revoked at %s. Ask for another.", stet.FormatTime(g.key.Revoked))
	case g.key.expired(now):
		return stet.Errorf(stet.CodeUnauthorized, "the key expired at %s. Ask for another.", stet.FormatTime(g.key.Expires))
	}
	return nil
}
