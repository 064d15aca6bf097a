package policy

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// limitRow is a row of the table of limits: what, how much, and the constant.
var limitRow = regexp.MustCompile("(?m)^\\| .* \\| ([0-9,]+) \\| `([a-z/]+)\\.([A-Za-z]+)` \\|$")

// limitTable matches the whole table, including rows that are not limits.
var limitTable = regexp.MustCompile(`(?m)^\| what \| most \| constant \|\n\|---\|---\|---\|\n((?:\|.*\n)*)`)

// CheckLimits returns the rows of a document's table of limits that differ from the
// constants in the tree, those that repeat one, and those that cannot be read.
func CheckLimits(tree fs.FS, name string) ([]Violation, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	pkgs, err := load(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	report := func(what string, args ...any) {
		found = append(found, Violation{Rule: "limits are the code's", Path: name, What: fmt.Sprintf(what, args...)})
	}
	table := limitTable.FindSubmatch(text)
	if table == nil {
		report("there is no table of limits")
		return found, nil
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(table[1])) {
		row := limitRow.FindStringSubmatch(line)
		if row == nil {
			report("this is no row of a table of limits: %s", strings.TrimSpace(line))
			continue
		}
		said, dir, ident := strings.ReplaceAll(row[1], ",", ""), row[2], row[3]
		if full := dir + "." + ident; seen[full] {
			report("%s stands in two rows", full)
			continue
		} else {
			seen[full] = true
		}
		switch is := constantOf(pkgs, dir, ident); {
		case is == nil:
			report("there is no constant %s.%s", dir, ident)
		case is.ExactString() != said:
			report("%s.%s is %s, and not %s", dir, ident, is.ExactString(), said)
		}
	}
	return found, nil
}

// constantOf evaluates an integer constant of a package, nil if there is none.
func constantOf(pkgs []*pkg, dir, ident string) constant.Value {
	if dir == path.Base(Module) {
		dir = "."
	}
	for _, p := range pkgs {
		if p.dir != dir {
			continue
		}
		for _, f := range p.files {
			for _, d := range f.ast.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.CONST {
					continue
				}
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, n := range v.Names {
						if n.Name == ident && i < len(v.Values) {
							return evaluate(pkgs, dir, v.Values[i])
						}
					}
				}
			}
		}
	}
	return nil
}

func evaluate(pkgs []*pkg, dir string, e ast.Expr) constant.Value {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0)
	case *ast.Ident:
		return constantOf(pkgs, dir, e.Name)
	case *ast.SelectorExpr:
		if from, ok := e.X.(*ast.Ident); ok {
			return constantOf(pkgs, from.Name, e.Sel.Name)
		}
	case *ast.ParenExpr:
		return evaluate(pkgs, dir, e.X)
	case *ast.BinaryExpr:
		x, y := evaluate(pkgs, dir, e.X), evaluate(pkgs, dir, e.Y)
		if x == nil || y == nil {
			return nil
		}
		if e.Op == token.SHL {
			n, _ := constant.Uint64Val(y)
			return constant.Shift(x, e.Op, uint(n))
		}
		return constant.BinaryOp(x, e.Op, y)
	}
	return nil
}
