package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"strings"

	"github.com/stet-dev/stet"
)

// secretPrefix begins every secret, so that people and scanners of repositories
// know one when they see it.
const secretPrefix = "stet_"

const (
	// idSize is how many letters and digits the id of a key has: 47 bits, so that
	// of a thousand keys no two are likely to have the same.
	idSize = 8
	// randomSize is how many random bytes a secret has.
	randomSize = 32
	// randomDigits is how many digits of base 62 they take: 62^43 > 2^256.
	randomDigits = 43
)

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newSecret returns the id and the secret of a new key.
func newSecret() (id, secret string) {
	id = base62(idSize, 6)
	return id, secretPrefix + id + "_" + base62(randomDigits, randomSize)
}

// base62 returns so many random bytes as digits, and zeros before them. What does
// not fit is left out in front.
func base62(n, bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	x, base, digit := new(big.Int).SetBytes(b), big.NewInt(int64(len(digits))), new(big.Int)
	s := make([]byte, n)
	for i := range s {
		x.DivMod(x, base, digit)
		s[n-1-i] = digits[digit.Int64()]
	}
	return string(s)
}

// hashSecret returns what the ring keeps of a secret.
func hashSecret(secret string) stet.Hash {
	var b [64]byte // a secret fits, and need not be copied elsewhere
	return sha256.Sum256(append(b[:0], secret...))
}

// idOf returns the id in something that looks like a secret.
func idOf(secret string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok || len(rest) != idSize+1+randomDigits || rest[idSize] != '_' {
		return "", false
	}
	return rest[:idSize], isID(rest[:idSize])
}

func isID(s string) bool {
	for i := range len(s) {
		if !strings.Contains(digits, s[i:i+1]) {
			return false
		}
	}
	return len(s) == idSize
}
