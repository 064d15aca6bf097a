package core

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/stet-dev/stet"
)

// This file is how a checkpoint is written: numbers as varints, texts with their
// length before them, and at the end of each piece a checksum, because what is
// read from a checkpoint is answered to callers without the log being asked.

// checkpointForm is the first byte of every piece. A change of the form changes it.
const checkpointForm = 4

// errUnfit means that a checkpoint is not to be used.
var errUnfit = errors.New("core: the checkpoint does not fit")

// sumSize is how much of a SHA-256 ends a piece.
const sumSize = 8

// sealPiece ends a piece with a checksum over it and what it is filed under: a
// head that is found under the id of another prompt is not to be used.
func sealPiece(key string, b []byte) []byte {
	sum := pieceSum(key, b)
	return append(b, sum[:sumSize]...)
}

func pieceSum(key string, b []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write([]byte{0}) // in no key
	h.Write(b)
	h.Sum(sum[:0])
	return sum
}

// openPiece returns a reader of what sealPiece sealed.
func openPiece(key string, b []byte) (*pieceReader, error) {
	if len(b) < sumSize+1 || b[0] != checkpointForm {
		return nil, errUnfit
	}
	body, want := b[:len(b)-sumSize], b[len(b)-sumSize:]
	if sum := pieceSum(key, body); string(sum[:sumSize]) != string(want) {
		return nil, errUnfit
	}
	return &pieceReader{b: body[1:]}, nil
}

// A pieceReader reads a piece. After a failure everything that it reads is zero
// and err is set, so that one check at the end is enough.
type pieceReader struct {
	b   []byte
	err error
}

func (r *pieceReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things of which each takes at least a byte.
func (r *pieceReader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *pieceReader) bytes(n int) []byte {
	if n > len(r.b) {
		r.fail()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *pieceReader) text() string { return string(r.bytes(r.count())) }

func (r *pieceReader) fail() { r.b, r.err = nil, errUnfit }

func (r *pieceReader) time() time.Time {
	micros, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return time.Time{}
	}
	r.b = r.b[n:]
	return time.UnixMicro(micros).UTC()
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte { return binary.AppendVarint(b, t.UnixMicro()) }

// A number is its three parts and its pre-release; none is a single 0.
func appendNum(b []byte, n stet.Number) []byte {
	if n.IsZero() {
		return append(b, 0)
	}
	b = appendText(append(b, 1), n.Prerelease())
	b = binary.AppendUvarint(b, n.Major())
	b = binary.AppendUvarint(b, n.Minor())
	return binary.AppendUvarint(b, n.Patch())
}

func (r *pieceReader) number() stet.Number {
	if r.uint() == 0 {
		return stet.Number{}
	}
	pre := r.text()
	major, minor, patch := r.uint(), r.uint(), r.uint()
	if r.err != nil || major > stet.MaxNumberPart || minor > stet.MaxNumberPart || patch > stet.MaxNumberPart {
		r.fail()
		return stet.Number{}
	}
	n := stet.NewNumber(major, minor, patch)
	if pre == "" {
		return n
	}
	n, err := stet.ParseNumber(n.String() + "-" + pre)
	if err != nil {
		r.fail()
	}
	return n
}

func encodeMeta(s *snapshot) []byte {
	prompts, versions := uint64(0), uint64(0)
	s.tree.tree.Scan(func(h *head) bool {
		prompts++
		versions += uint64(len(h.ordinals))
		return true
	})
	b := []byte{checkpointForm}
	for _, v := range []uint64{s.revision, s.epoch, s.cleared, prompts, versions, s.work} {
		b = binary.AppendUvarint(b, v)
	}
	b = appendTime(b, s.time)
	return sealPiece("meta", append(b, s.hash[:]...))
}

func decodeMeta(data []byte) (*snapshot, counts, error) {
	r, err := openPiece("meta", data)
	if err != nil {
		return nil, counts{}, err
	}
	s := &snapshot{slots: xsync.NewMap[string, *slot]()}
	s.revision, s.epoch, s.cleared = r.uint(), r.uint(), r.uint()
	want := counts{prompts: r.uint(), versions: r.uint(), ids: s.revision}
	s.work = r.uint()
	s.time = r.time()
	copy(s.hash[:], r.bytes(len(s.hash)))
	return s, want, r.err
}

func encodeIDs(key string, hashes []uint32) []byte {
	b := make([]byte, 1, 1+len(hashes)*4+sumSize)
	b[0] = checkpointForm
	for _, h := range hashes {
		b = binary.LittleEndian.AppendUint32(b, h)
	}
	return sealPiece(key, b)
}

func decodeIDs(key string, data []byte) ([]uint32, error) {
	r, err := openPiece(key, data)
	if err != nil || len(r.b)%4 != 0 {
		return nil, errUnfit
	}
	hashes := make([]uint32, len(r.b)/4)
	for i := range hashes {
		hashes[i] = binary.LittleEndian.Uint32(r.b[i*4:])
	}
	return hashes, nil
}

func appendVersion(b []byte, h *head, v *version) []byte {
	b = appendNum(b, v.number)
	b = append(b, v.digest[:]...)
	b = binary.AppendUvarint(b, v.revision)
	b = binary.AppendUvarint(b, uint64(v.op))
	b = binary.LittleEndian.AppendUint16(b, v.check)
	deleted := uint64(0)
	if d := h.dead.get(v.number); d != nil {
		deleted = d.deleted
	}
	return binary.AppendUvarint(b, deleted)
}

// encodeVersions returns the versions with the ordinals from+1 to to.
func encodeVersions(h *head, from, to int) []byte {
	b := make([]byte, 1, 1+(to-from)*56+sumSize)
	b[0] = checkpointForm
	b = binary.AppendUvarint(b, uint64(to-from))
	for _, v := range h.ordinals[from:to] {
		b = appendVersion(b, h, v)
	}
	return sealPiece(versionsKey(h.id, from/versionChunk), b)
}

func encodeHead(h *head) []byte {
	b := []byte{checkpointForm}
	b = binary.AppendUvarint(b, h.revision)
	b = appendTime(b, h.createdAt)
	b = appendTime(b, h.updatedAt)
	b = binary.AppendUvarint(b, uint64(h.labels.len()+h.removed.len()))
	for l := range h.asOf(now).everLabels() {
		b = appendLabelMoves(b, l)
	}
	b = binary.AppendUvarint(b, uint64(len(h.ordinals)))
	for _, v := range h.ordinals[len(h.ordinals)/versionChunk*versionChunk:] {
		b = appendVersion(b, h, v)
	}
	return sealPiece(h.id, b)
}

// appendLabelMoves appends a label. A move is how many revisions it is after the one
// before, and where it led to: two or three bytes.
func appendLabelMoves(b []byte, l *label) []byte {
	b = appendText(b, l.name)
	b = appendTime(b, l.set.time)
	b = appendText(b, l.set.author)
	b = binary.AppendUvarint(b, uint64(len(l.moves)))
	last := uint64(0)
	for _, m := range l.moves {
		b = binary.AppendUvarint(b, m.revision-last)
		b = binary.AppendUvarint(b, uint64(m.to))
		last = m.revision
	}
	return b
}

func (r *pieceReader) label() label {
	l := label{name: r.text(), set: &setting{time: r.time(), author: r.text()}}
	l.moves = make([]move, r.count())
	last := uint64(0)
	for i := range l.moves {
		last += r.uint()
		l.moves[i] = move{revision: last, to: uint32(r.uint())}
	}
	if len(l.moves) == 0 {
		r.fail()
	}
	return l
}

// decodeHead builds a head from its chunks.
func decodeHead(id string, data []byte, chunks [][]byte) (*head, error) {
	r, err := openPiece(id, data)
	if err != nil {
		return nil, err
	}
	h := &head{id: id, revision: r.uint(), createdAt: r.time(), updatedAt: r.time()}
	ever := make([]label, r.count())
	for i := range ever {
		ever[i] = r.label()
	}
	total := r.uint()
	if r.err != nil || total/versionChunk != uint64(len(chunks)) {
		return nil, errUnfit
	}
	var dead []*version
	h.ordinals = make([]*version, 0, total)
	for i, data := range chunks {
		vr, err := openPiece(versionsKey(id, i), data)
		if err != nil || vr.uint() != versionChunk {
			return nil, errUnfit
		}
		if dead, err = h.readVersions(vr, versionChunk, dead); err != nil {
			return nil, err
		}
	}
	if dead, err = h.readVersions(r, int(total%versionChunk), dead); err != nil {
		return nil, err
	}
	h.dead = sorted(dead)
	if len(dead) == 0 {
		h.live = sorted(h.ordinals)
	} else {
		h.live = sorted(slices.DeleteFunc(slices.Clone(h.ordinals), func(v *version) bool { return h.dead.get(v.number) != nil }))
	}
	for _, l := range ever {
		if slices.ContainsFunc(l.moves, func(m move) bool { return uint64(m.to) > total }) {
			return nil, errUnfit
		}
		if to := l.last().to; to != 0 {
			l.at = h.live.get(h.numbered(to))
		}
		if l.at != nil {
			h.labels = h.labels.with(l)
		} else {
			h.removed = h.removed.with(l)
		}
	}
	h.derive()
	return h, nil
}

// readVersions reads the next n versions into the head's list by ordinal, and
// appends the tombstones of those that were deleted.
func (h *head) readVersions(r *pieceReader, n int, dead []*version) ([]*version, error) {
	slab := make([]version, n) // they live and die together, with their head
	for i := range slab {
		v := &slab[i]
		v.number = r.number()
		copy(v.digest[:], r.bytes(len(v.digest)))
		v.revision, v.op = r.uint(), uint16(r.uint())
		if check := r.bytes(2); check != nil {
			v.check = binary.LittleEndian.Uint16(check)
		}
		deleted := r.uint()
		if r.err != nil || v.number.IsZero() {
			return nil, errUnfit
		}
		v.ordinal = uint32(len(h.ordinals) + 1)
		h.ordinals = append(h.ordinals, v)
		if deleted != 0 {
			dead = append(dead, v.tombstone(deleted))
		}
	}
	if len(r.b) != 0 {
		return nil, errUnfit
	}
	return dead, nil
}
