package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"strings"

	"github.com/stet-dev/stet"
)

// secretPrefix is the beginning of every secret, so that people and secret scanners
// recognize one.
const secretPrefix = "stet_"

const (
	// idSize is the number of letters and digits of a key's id: 47 bits, so that two of a
	// thousand keys are unlikely to have the same id.
	idSize = 8
	// randomSize is the number of random bytes of a secret.
	randomSize = 32
	// randomDigits is the number of base 62 digits for them: 62^43 > 2^256.
	randomDigits = 43
)

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newSecret returns the id and the secret of a new key.
func newSecret() (id, secret string) {
	id = base62(idSize, 6)
	return id, secretPrefix + id + "_" + base62(randomDigits, randomSize)
}

// base62 returns random bytes as n digits, with leading zeros. Leading digits that do not fit
// are left out.
func base62(n, bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	x, base, digit := new(big.Int).SetBytes(b), big.NewInt(int64(len(digits))), new(big.Int)
	s := make([]byte, n)
	for i := range s {
		x.DivMod(x, base, digit)
		s[n-1-i] = digits[digit.Int64()]
	}
	return string(s)
}

// hashSecret returns the hash of a secret, which is what the file has.
func hashSecret(secret string) stet.Hash {
	var b [64]byte // large enough for a secret, so that nothing is allocated
	return sha256.Sum256(append(b[:0], secret...))
}

// idOf returns the id that is part of a secret. ok is false if s is not a well-formed secret.
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
