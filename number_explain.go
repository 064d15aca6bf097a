package stet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stet-dev/stet/internal/digits"
	"github.com/stet-dev/stet/internal/visible"
)

// example ends the sentences that cannot propose anything closer to what was
// meant.
const example = "Write MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-rc.1"

var partNames = [...]string{"major", "minor", "patch"}

// explain returns the error for a string that scan has refused.
func explain(s string) error {
	switch {
	case s == "":
		return Errorf(CodeInvalid, "the number is empty. %s.", example)
	case len(s) > MaxNumber:
		return Errorf(CodeInvalid, "the number that begins with %+q is %d bytes long; a number has at most %d.", s[:32], len(s), MaxNumber)
	}
	return Errorf(CodeInvalid, "%+q is not a number: %s.", s, reason(s))
}

// reason says what is wrong with s, which is neither empty nor too long, and
// what to write instead.
func reason(s string) string {
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return fmt.Sprintf("it has white space at byte %d. Leave it out", i)
	}
	if rest := strings.TrimLeft(s, "vV="); rest != s {
		if _, ok := scan(rest); ok {
			return fmt.Sprintf("it begins with %+q. Write %s", s[:len(s)-len(rest)], rest)
		}
		return "a number begins with a digit. " + example
	}
	if c := s[0]; 'a' <= c && c <= 'z' && !strings.ContainsAny(s, "+@/") {
		return "it begins with a letter, as a label does, and only a number will do here. " + example
	}
	if plain, _, ok := strings.Cut(s, "+"); ok {
		why := "build metadata (what follows the +) is refused, since two numbers that differ only in it would have equal precedence. "
		if _, ok := scan(plain); ok {
			return why + "Write " + plain
		}
		return why + example
	}
	core, pre, hasPre := strings.Cut(s, "-")
	if why := coreReason(core, pre); why != "" {
		return why
	}
	if hasPre {
		if why := preReason(pre, len(core)+1); why != "" {
			return why
		}
	}
	return example // scan refuses nothing that gets here
}

// coreReason says what is wrong with MAJOR.MINOR.PATCH, or "". It needs the
// pre-release only to propose a number.
func coreReason(core, pre string) string {
	parts := strings.Split(core, ".")
	at := 0
	for i, part := range parts {
		which := fmt.Sprintf("part %d", i+1)
		if i < len(partNames) {
			which = "the " + partNames[i] + " part"
		}
		if why := partReason(which, part, at); why != "" {
			return why
		}
		at += len(part) + 1
	}
	switch n := len(parts); {
	case n < 3:
		better := core + strings.Repeat(".0", 3-n)
		if pre != "" {
			better += "-" + pre
		}
		if _, ok := scan(better); !ok {
			better = "MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-rc.1"
		}
		return fmt.Sprintf("it has %d of the three parts. Write %s", n, better)
	case n > 3:
		better := strings.Join(parts[:3], ".") + "-" + strings.Join(parts[3:], ".")
		return fmt.Sprintf("it has %d parts, not three. Write %s, or %s for a pre-release", n, strings.Join(parts[:3], "."), better)
	}
	return ""
}

func partReason(which, part string, at int) string {
	switch part {
	case "":
		return which + " is empty. " + example
	case "x", "X", "*":
		return fmt.Sprintf("%s is %+q, which only a range may have. %s", which, part, example)
	}
	for i, r := range part {
		if r >= utf8.RuneSelf || !digits.Is(byte(r)) {
			return fmt.Sprintf("%s has %s at byte %d, where only digits are allowed. %s", which, visible.QuoteASCII(visible.First(part[i:])), at+i, example)
		}
	}
	return numericReason(which, part)
}

// numericReason says what is wrong with a part that has digits only, or "".
func numericReason(which, part string) string {
	if _, _, ok := digits.Scan(part); ok {
		return ""
	}
	if part[0] == '0' {
		better := strings.TrimLeft(part, "0")
		if better == "" {
			better = "0"
		}
		return fmt.Sprintf("%s, %s, has a leading zero. Write %s", which, part, better)
	}
	return fmt.Sprintf("%s, %s, is over the limit of %d", which, part, uint64(MaxNumberPart))
}

// preReason says what is wrong with a pre-release that begins at byte at, or "".
func preReason(pre string, at int) string {
	if pre == "" {
		return "nothing follows the hyphen. Leave it out, or write a pre-release after it, such as rc.1"
	}
	for id := range strings.SplitSeq(pre, ".") {
		if id == "" {
			return fmt.Sprintf("the pre-release has an empty identifier at byte %d. Leave out the extra dot", at)
		}
		for i, r := range id {
			if r >= utf8.RuneSelf || !isIdentifierByte(byte(r)) {
				return fmt.Sprintf("the pre-release has %s at byte %d; it may have the letters A to Z and a to z, digits, hyphens, and dots between them", visible.QuoteASCII(visible.First(id[i:])), at+i)
			}
		}
		if digits.All(id) {
			if why := numericReason("the pre-release identifier", id); why != "" {
				return why
			}
		}
		at += len(id) + 1
	}
	return ""
}
