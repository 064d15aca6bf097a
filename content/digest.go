package content

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/stet-dev/stet/internal/visible"
)

// digestPrefix begins the written form of every digest and names the hash, so
// that another could stand beside it one day.
const digestPrefix = "sha256:"

// A Digest is the SHA-256 of a content's canonical form. Digests are equal
// exactly if the contents are. The zero Digest is that of no content.
type Digest [sha256.Size]byte

// keptBuffer is the largest buffer that buffers keeps: a few prompts of 1 MiB
// should not hold memory for ever.
const keptBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Digest computes the digest of c. It takes time in proportion to the size of
// c at every call: a caller that needs it again keeps it.
func (c Content) Digest() Digest {
	if c.b == nil {
		return Digest{}
	}
	buf := buffers.Get().(*[]byte)
	*buf = c.AppendCanonical((*buf)[:0])
	d := Digest(sha256.Sum256(*buf))
	if cap(*buf) <= keptBuffer {
		buffers.Put(buf)
	}
	return d
}

// IsZero reports whether d is the zero Digest.
func (d Digest) IsZero() bool { return d == Digest{} }

// String returns d as it is written everywhere: "sha256:" and 64 hexadecimal
// digits in lower case.
func (d Digest) String() string {
	b, _ := d.AppendText(make([]byte, 0, len(digestPrefix)+2*len(d)))
	return string(b)
}

// AppendText appends String to b. It never fails.
func (d Digest) AppendText(b []byte) ([]byte, error) {
	return hex.AppendEncode(append(b, digestPrefix...), d[:]), nil
}

// MarshalText returns String. It never fails.
func (d Digest) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// UnmarshalText sets d as ParseDigest does. d is left as it is on an error.
func (d *Digest) UnmarshalText(text []byte) error {
	p, err := ParseDigest(string(text))
	if err == nil {
		*d = p
	}
	return err
}

// ParseDigest reads what String writes, and nothing else: each digest has one
// spelling. Anything else is invalid.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	digits, ok := strings.CutPrefix(s, digestPrefix)
	if !ok || len(digits) != 2*len(d) || strings.Trim(digits, "0123456789abcdef") != "" {
		return Digest{}, invalid("%s is not a digest. A digest is sha256: and 64 hexadecimal digits in lower case.", visible.Quote(s))
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return Digest{}, invalid("%s is not a digest. A digest is sha256: and 64 hexadecimal digits in lower case.", visible.Quote(s))
	}
	return d, nil
}
