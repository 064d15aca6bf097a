package mutants

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// mutate returns the files of a tree that mutants change, as they are with all of
// them. The error has everything that is wrong.
func mutate(tree fs.FS, mutants []mutant) (map[string]string, error) {
	byFile := make(map[string][]replacement)
	for _, m := range mutants {
		for _, r := range m.replacements {
			byFile[r.file] = append(byFile[r.file], r)
		}
	}
	changed := make(map[string]string)
	var wrong []error
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		text, err := fs.ReadFile(tree, file)
		if err == nil {
			changed[file], err = replaceAll(string(text), byFile[file])
		}
		if err == nil {
			_, err = parser.ParseFile(token.NewFileSet(), file, changed[file], parser.SkipObjectResolution)
		}
		wrong = append(wrong, err)
	}
	return changed, errors.Join(wrong...)
}

// replaceAll carries out the replacements of one file.
func replaceAll(text string, all []replacement) (string, error) {
	type place struct {
		from, to int
		r        replacement
	}
	var places []place
	var wrong []error
	for _, r := range all {
		found := positions(text, r.old)
		if len(found) != 1 {
			wrong = append(wrong, fmt.Errorf("testdata/%s.txtar: these lines must stand in %s once, and stand there %d times. "+
				"Write into it what stands there now, and what the mutant is to have instead:\n%s", r.mutant, r.file, len(found), r.old))
			continue
		}
		places = append(places, place{found[0], found[0] + len(r.old), r})
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	end, last := 0, ""
	for _, p := range places {
		if p.from < end {
			wrong = append(wrong, fmt.Errorf("testdata/%s.txtar and testdata/%s.txtar replace the same line of %s", last, p.r.mutant, p.r.file))
			continue
		}
		b.WriteString(text[end:p.from])
		b.WriteString(p.r.new)
		end, last = p.to, p.r.mutant
	}
	b.WriteString(text[end:])
	return b.String(), errors.Join(wrong...)
}

// positions returns where lines stand in a text.
func positions(text, lines string) []int {
	var found []int
	for at := 0; at < len(text); at++ {
		if strings.HasPrefix(text[at:], lines) {
			found = append(found, at)
		}
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			break
		}
		at += next
	}
	return found
}

// root is the tree of the module.
const root = "../.."

// load returns the mutants and the files that they change.
func load(t *testing.T) ([]mutant, map[string]string) {
	t.Helper()
	mutants, err := loadMutants(os.DirFS("testdata"))
	must(t, err)
	changed, err := mutate(os.DirFS(root), mutants)
	must(t, err)
	return mutants, changed
}

// writeOverlay writes the changed and the added files, and what go test -overlay is to
// read, the path of which it returns.
func writeOverlay(t *testing.T, changed map[string]string) string {
	t.Helper()
	added, err := filepath.Abs("testdata/overlay")
	must(t, err)
	top, err := filepath.Abs(root)
	must(t, err)
	dir := t.TempDir()
	replace := make(map[string]string)
	must(t, fs.WalkDir(os.DirFS(added), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		in := filepath.Join(top, filepath.FromSlash(file))
		if _, err := os.Lstat(in); err == nil {
			return fmt.Errorf("testdata/overlay adds %s, which is there already", file)
		}
		replace[in] = filepath.Join(added, filepath.FromSlash(file))
		return nil
	}))
	for file, text := range changed {
		name := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		must(t, os.WriteFile(name, []byte(text), 0o600))
		replace[filepath.Join(top, filepath.FromSlash(file))] = name
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	must(t, err)
	name := filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(name, list, 0o600))
	return name
}

// TestEveryMutantApplies: what a mutant replaces stands in the code, exactly once.
func TestEveryMutantApplies(t *testing.T) { load(t) }

// TestMutantsThatAreRefused shows that what is wrong with a mutant is said.
func TestMutantsThatAreRefused(t *testing.T) {
	tree := fstest.MapFS{"core/a.go": {Data: []byte("package core\n\nfunc a() {\n\tb()\n\tc()\n\tif d {\n\t\tc()\n\t}\n\tb()\n}\n")}}
	const head = "It is wrong.\n\nCase: save/one-winner\n\n"
	becomes := func(old, new string) string { return "-- core/a.go --\n" + old + "\n-- becomes --\n" + new + "\n" }
	good := head + becomes("\tc()", "\tif !mutantOn(\"x\") {\n\t\tc()\n\t}")
	for _, c := range []struct{ what, x, y, want string }{
		{"nothing", good, "", ""},
		{"no longer there", head + becomes("\te()", "\te(mutantOn(\"x\"))"), "", "x.txtar: these lines must stand in core/a.go once, and stand there 0 times"},
		{"there twice", head + becomes("\tb()", "\tb(mutantOn(\"x\"))"), "", "stand there 2 times"},
		{"a part of a line", head + becomes("c()", "c(mutantOn(\"x\"))"), "", "stand there 0 times"},
		{"no such file", head + strings.Replace(becomes("\tc()", "\tc(mutantOn(\"x\"))"), "a.go", "z.go", 1), "", "core/z.go"},
		{"overlap", good, head + becomes("\tc()\n\tif d {", "\tif mutantOn(\"y\") {"), "x.txtar and testdata/y.txtar replace the same line"},
		{"does not parse", head + becomes("\tc()", "\tif mutantOn(\"x\") {"), "", "core/a.go:"},
		{"no switch", head + becomes("\tc()", "\tb()"), "", `must ask mutantOn("x")`},
		{"another's switch", head + becomes("\tc()", "\tc(mutantOn(\"y\"))"), "", `must ask mutantOn("x")`},
		{"nothing instead", head + "-- core/a.go --\n\tc()\n", "", `there is no "-- becomes --"`},
		{"no lines", head + becomes("", "\tc(mutantOn(\"x\"))"), "", "no lines of core/a.go are given"},
		{"no replacement", head, "", "it replaces nothing"},
		{"no case", "It is wrong.\n\n" + becomes("\tc()", "\tc(mutantOn(\"x\"))"), "", "does not name the case"},
		{"no sentence", "\n\n" + good, "", "what the defect is"},
		{"no such harness", "It is wrong.\n\nCase: a\nHarness: b\n", "", `no harness "b"`},
		{"no such field", "It is wrong.\n\nCaes: a\n", "", "none of Trap, Case and Harness: Caes: a"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := fstest.MapFS{"x.txtar": {Data: []byte(c.x)}}
			if c.y != "" {
				dir["y.txtar"] = &fstest.MapFile{Data: []byte(c.y)}
			}
			mutants, err := loadMutants(dir)
			if err == nil {
				_, err = mutate(tree, mutants)
			}
			if c.want == "" {
				must(t, err)
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, and not %q", err, c.want)
			}
		})
	}
}
