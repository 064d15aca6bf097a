package stet

import (
	"fmt"

	"github.com/stet-dev/stet/internal/digits"
	"github.com/stet-dev/stet/internal/visible"
)

// MaxLabel is the maximum length of a label in bytes, as in DNS and Kubernetes.
const MaxLabel = 63

const labelRule = "A label is a lower-case letter, then at most 62 lower-case letters, digits, dots, hyphens and underscores, such as production"

// CheckLabel returns nil if label may be the name of a label: 1 to MaxLabel
// bytes, the first of a to z, the others of a to z, 0 to 9, ".", "_" and "-".
//
// A label must not have another meaning as a selector, or look as if it had. So these
// are not labels: "latest", "current", "x", what begins with "x." like a range, and what
// begins with "v" and a digit like a number (v1, v2-beta).
//
// Otherwise the error is a *Error with the code CodeInvalid, which says
// which character at which byte is wrong and what is allowed. CheckLabel
// allocates nothing for a valid label.
func CheckLabel(label string) error {
	if label == "" {
		return Errorf(CodeInvalid, "the label is empty. %s.", labelRule)
	}
	if len(label) > MaxLabel {
		return Errorf(CodeInvalid, "%s is not a label: it is %d bytes long, and %d are allowed.", visible.Quote(label), len(label), MaxLabel)
	}
	if !isLetter(label[0]) {
		return badLabel(label, fmt.Sprintf("it begins with %s. %s", visible.Quote(visible.First(label)), labelRule))
	}
	for i := 1; i < len(label); i++ {
		c := label[i]
		if !isLetter(c) && !digits.Is(c) && c != '.' && c != '_' && c != '-' {
			return badLabel(label, fmt.Sprintf("%s at byte %d is not allowed. %s", visible.Quote(visible.First(label[i:])), i, labelRule))
		}
	}
	switch {
	case label == "latest":
		return badLabel(label, "as a selector it is the newest release. Choose another name")
	case label == "current":
		return badLabel(label, "as a selector it is what a caller gets who names no version. Choose another name")
	case label == "x" || label[0] == 'x' && label[1] == '.':
		return badLabel(label, "it looks like a range of versions. Choose a name that is not x and does not begin with x and a dot")
	case label[0] == 'v' && len(label) > 1 && digits.Is(label[1]):
		return badLabel(label, "it looks like the number of a version. Choose a name that does not begin with v and a digit; numbers are written without the v")
	}
	return nil
}

func badLabel(label, why string) error {
	return Errorf(CodeInvalid, "%s is not a label: %s.", visible.Quote(label), why)
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
