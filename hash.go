package stet

import (
	"crypto/sha256"
	"encoding/hex"
)

// A Hash is a SHA-256 that protects a part of the log. As text it is 64 hex digits in
// lower case. The zero Hash means "none".
type Hash [sha256.Size]byte

// String returns the hash as 64 hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is the zero Hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText returns String. It never fails.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads 64 hex digits. The error for anything else is invalid.
func (h *Hash) UnmarshalText(text []byte) error {
	var b Hash
	if len(text) != hex.EncodedLen(len(b)) {
		return Errorf(CodeInvalid, "%q is not a hash. Write its 64 hex digits.", text)
	}
	if _, err := hex.Decode(b[:], text); err != nil {
		return Errorf(CodeInvalid, "%q is not a hash. Write its 64 hex digits.", text)
	}
	*h = b
	return nil
}
