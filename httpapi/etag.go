package httpapi

import (
	"strconv"
	"strings"

	"github.com/stet-dev/stet"
)

// An ETag is "STORE.REVISION" for an answer as of a revision, and "STORE.REVISION.ORDINAL"
// for a version, with the revision that saved it. A restored or copied store has another
// id, so no tag stands for two contents. A suffix tells representations apart: ~ and a
// mark of the key's prompts where the answer depends on them, .text for the text alone,
// -gzip or -zstd for a compressed answer. A tag is weak if its answer carries an as_of
// that is newer than the tag.
//
// In this package a tag is passed around without its closing quote.
type tag = string

const (
	// suffixText marks the text alone of a version, and a diff as text.
	suffixText = ".text"
	// suffixScope begins the mark of the key's prompts.
	suffixScope = "~"
)

// versionTag returns the tag of a version.
func (s *Server) versionTag(v stet.Version) tag {
	var b [96]byte
	return string(s.appendVersionTag(b[:0], v))
}

func (s *Server) appendVersionTag(dst []byte, v stet.Version) []byte {
	dst = append(dst, s.tagBase...)
	dst = strconv.AppendUint(dst, v.Revision(), 10)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, v.Ordinal(), 10)
}

// revisionTag returns the tag of an answer as of a revision.
func (s *Server) revisionTag(revision uint64) tag {
	return s.tagBase + strconv.FormatUint(revision, 10)
}

// scopeMark is the suffix of a tag whose answer may show only a part to this caller: a key
// for other prompts gets another answer there. It is "" for a caller who sees everything.
func (a *access) scopeMark() string {
	if a.seesAll() {
		return ""
	}
	return suffixScope + a.grant.ScopeMark()
}

// notModified reports whether If-None-Match has a tag, in whatever coding the caller got
// it. It returns the tag as the caller gave it, with its quotes.
func notModified(values []string, t tag) (string, bool) {
	for _, v := range values {
		if len(v) == len(t)+1 && v[len(t)] == '"' && v[:len(t)] == t {
			return v, true // what clients send nearly always
		}
		for given := range strings.SplitSeq(v, ",") {
			given = strings.TrimSpace(given)
			if given == "*" {
				return t + `"`, true
			}
			if sameTag(given, t) {
				return given, true
			}
		}
	}
	return "", false
}

// sameTag compares weakly: W/ and the coding do not count.
func sameTag(given string, t tag) bool {
	given, ok := strings.CutSuffix(strings.TrimPrefix(given, "W/"), `"`)
	if !ok {
		return false
	}
	for _, c := range codings {
		given = strings.TrimSuffix(given, c.suffix)
	}
	return given == strings.TrimPrefix(t, "W/")
}

// parseVersionTag reads the tag of a version of this store, in any representation.
func (s *Server) parseVersionTag(given string) (revision, ordinal uint64, ok bool) {
	rest, ok := strings.CutPrefix(given, s.tagBase)
	if !ok {
		return 0, 0, false
	}
	if rest, ok = strings.CutSuffix(rest, `"`); !ok {
		return 0, 0, false
	}
	for _, c := range codings {
		rest = strings.TrimSuffix(rest, c.suffix)
	}
	rev, ord, ok := strings.Cut(strings.TrimSuffix(rest, suffixText), ".")
	if !ok {
		return 0, 0, false
	}
	revision, err := strconv.ParseUint(rev, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	ord, _, _ = strings.Cut(ord, suffixScope)
	ordinal, err = strconv.ParseUint(ord, 10, 64)
	return revision, ordinal, err == nil
}
