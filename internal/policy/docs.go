package policy

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	makeTarget = regexp.MustCompile("`make ([a-z-]+)")
	fence      = regexp.MustCompile("(?ms)^```.*?^```")
)

// CheckDocs returns the links of Markdown files that lead nowhere in the tree, and the
// make targets that they name but the Makefile lacks.
func CheckDocs(tree fs.FS, names ...string) ([]Violation, error) {
	makefile, err := fs.ReadFile(tree, "Makefile")
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, name := range names {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, err
		}
		report := func(rule, what string, args ...any) {
			found = append(found, Violation{Rule: rule, Path: name, What: fmt.Sprintf(what, args...)})
		}
		for _, m := range link.FindAllSubmatch(fence.ReplaceAll(text, nil), -1) {
			to, _, _ := strings.Cut(string(m[1]), "#")
			if to == "" || strings.Contains(to, "://") {
				continue
			}
			if _, err := fs.Stat(tree, path.Join(path.Dir(name), to)); err != nil {
				report("links lead somewhere", "the link to %s leads nowhere", to)
			}
		}
		for _, m := range makeTarget.FindAllSubmatch(text, -1) {
			if !strings.Contains("\n"+string(makefile), "\n"+string(m[1])+":") {
				report("a claim names a command that there is", "the Makefile has no target %s", m[1])
			}
		}
	}
	return found, nil
}
