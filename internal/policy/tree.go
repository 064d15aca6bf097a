package policy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Violation is one place that breaks a rule.
type Violation struct {
	Rule string
	Path string // of the file or package
	Line int    // 0 for the whole file or package
	What string
}

// String returns the violation as compilers write errors.
func (v Violation) String() string {
	if v.Line == 0 {
		return fmt.Sprintf("%s: %s (%s)", v.Path, v.What, v.Rule)
	}
	return fmt.Sprintf("%s:%d: %s (%s)", v.Path, v.Line, v.What, v.Rule)
}

// A file is a parsed Go file.
type file struct {
	path  string
	lines int
	test  bool
	ast   *ast.File
	fset  *token.FileSet
}

func (f *file) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// A pkg is the Go files of one directory.
type pkg struct {
	dir   string // "." for the root
	files []*file
}

// public reports whether callers can import the package.
func (p *pkg) public() bool {
	return p.dir == "." || !strings.HasPrefix(p.dir, "internal/") && !strings.HasPrefix(p.dir, "cmd/") && !strings.HasPrefix(p.dir, "examples/")
}

// load parses the Go files of the module at the root of a tree. It leaves out other
// modules in the tree.
func load(tree fs.FS) ([]*pkg, error) {
	pkgs := make(map[string]*pkg)
	fset := token.NewFileSet()
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && (skipDir(d.Name()) || isModule(tree, p)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		src, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(fset, p, src, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := path.Dir(p)
		if pkgs[dir] == nil {
			pkgs[dir] = &pkg{dir: dir}
		}
		pkgs[dir].files = append(pkgs[dir].files, &file{
			path: p, lines: bytes.Count(src, []byte("\n")), test: strings.HasSuffix(p, "_test.go"), ast: parsed, fset: fset,
		})
		return nil
	})
	sorted := make([]*pkg, 0, len(pkgs))
	for _, p := range pkgs {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return sorted, err
}

func skipDir(name string) bool {
	return name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func isModule(tree fs.FS, dir string) bool {
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil
}
