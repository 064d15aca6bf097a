package policy

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// MaxLines is the most lines of a Go file. Most have under 300: a file is about one noun.
const MaxLines = 600

// A rule looks at one package.
type rule struct {
	name  string
	check func(p *pkg, report func(f *file, n ast.Node, what string, args ...any))
}

var rules = []rule{
	{"imports point downwards", downwards},
	{"no I/O in the domain and core", noIO},
	{"every package has a comment", packageComment},
	{"every exported name has a comment", exportedComments},
	{"tests do not sleep", noSleep},
	{"tests are not skipped", noSkip},
	{"files are short", short},
}

// Check applies all rules to a module's tree and returns the violations.
func Check(tree fs.FS) ([]Violation, error) {
	pkgs, err := load(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	excused := make(map[exception]bool)
	for _, r := range rules {
		for _, p := range pkgs {
			r.check(p, func(f *file, n ast.Node, what string, args ...any) {
				v := Violation{Rule: r.name, Path: p.dir, What: fmt.Sprintf(what, args...)}
				if f != nil {
					v.Path = f.path
				}
				if n != nil {
					v.Line = f.line(n)
				}
				if e := (exception{r.name, v.Path}); exceptions[e] != "" {
					excused[e] = true
					return
				}
				found = append(found, v)
			})
		}
	}
	for e := range exceptions {
		if !excused[e] {
			found = append(found, Violation{Rule: e.rule, Path: e.path, What: "the exception is not needed; remove it"})
		}
	}
	return found, nil
}

func layerOf(dir string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, dir) })
}

type reporter = func(f *file, n ast.Node, what string, args ...any)

// imports calls yield for each import of a file that is built into programs. Tests may
// import anything.
func imports(p *pkg, yield func(f *file, spec *ast.ImportSpec, importPath string)) {
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, spec := range f.ast.Imports {
			importPath, _ := strconv.Unquote(spec.Path.Value) // parsed already
			yield(f, spec, importPath)
		}
	}
}

// dirOf returns the directory of a package of the module.
func dirOf(importPath string) (string, bool) {
	if importPath == Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, Module+"/")
}

func downwards(p *pkg, report reporter) {
	own := layerOf(p.dir)
	if own < 0 {
		report(nil, nil, "the package is in no layer: say in internal/policy/layers.go where it stands")
		return
	}
	imports(p, func(f *file, spec *ast.ImportSpec, importPath string) {
		dir, ok := dirOf(importPath)
		if !ok {
			return
		}
		if to := layerOf(dir); to >= own {
			report(f, spec, "%s (layer %d) imports %s (layer %d)", p.dir, own, dir, to)
		}
	})
}

func noIO(p *pkg, report reporter) {
	if !slices.Contains(pure, p.dir) {
		return
	}
	imports(p, func(f *file, spec *ast.ImportSpec, importPath string) {
		if _, own := dirOf(importPath); !own && !pureImports[importPath] {
			report(f, spec, "%s imports %s, which is not on the list of what cannot do I/O", p.dir, importPath)
		}
	})
	for _, f := range p.files {
		if f.test {
			continue
		}
		calls(f, func(call *ast.CallExpr, pkgName, name string) {
			if pkgName == "fmt" && (strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Scan")) || pkgName == "" && (name == "print" || name == "println") {
				report(f, call, "%s writes to or reads from the terminal", p.dir)
			}
		})
	}
}

// calls calls yield for each call of a function with a name, with the name before the dot,
// if any.
func calls(f *file, yield func(call *ast.CallExpr, before, name string)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			yield(call, "", fun.Name)
		case *ast.SelectorExpr:
			before := "(…)"
			if id, ok := fun.X.(*ast.Ident); ok {
				before = id.Name
			}
			yield(call, before, fun.Sel.Name)
		}
		return true
	})
}

func packageComment(p *pkg, report reporter) {
	for _, f := range p.files {
		if f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != "" {
			return
		}
	}
	report(nil, nil, "no file of the package has a package comment")
}

func exportedComments(p *pkg, report reporter) {
	if !p.public() || p.files[0].ast.Name.Name == "main" {
		return
	}
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					report(f, d, "%s has no comment", d.Name.Name)
				}
			case *ast.GenDecl:
				exportedSpecs(f, d, report)
			}
		}
	}
}

func exportedSpecs(f *file, d *ast.GenDecl, report reporter) {
	if d.Tok == token.IMPORT || d.Doc != nil {
		return // a comment on a group is for all in it
	}
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && s.Comment == nil {
				report(f, s, "%s has no comment", s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, n := range s.Names {
				if n.IsExported() && s.Doc == nil && s.Comment == nil {
					report(f, n, "%s has no comment", n.Name)
				}
			}
		}
	}
}

// exportedReceiver reports whether a function has no receiver, or one of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// isTest reports whether a file is built only into tests.
func isTest(p *pkg, f *file) bool {
	return f.test || p.dir == "drivertest" || strings.HasPrefix(p.dir, "drivertest/")
}

// noSleep: a test that sleeps is slow on a fast machine and fails on a slow one.
// Tests wait for what they wait for, or run in a testing/synctest bubble and use
// a timer there.
func noSleep(p *pkg, report reporter) {
	for _, f := range p.files {
		if isTest(p, f) {
			calls(f, func(call *ast.CallExpr, before, name string) {
				if before == "time" && name == "Sleep" {
					report(f, call, "the test sleeps; wait for what it waits for")
				}
			})
		}
	}
}

// noSkip: nobody notices that a skipped test is missing. What a machine lacks is reported
// by the Makefile. The Skip of a *rapid.T is something else: it draws again.
func noSkip(p *pkg, report reporter) {
	for _, f := range p.files {
		if !isTest(p, f) {
			continue
		}
		ast.PreorderStack(f.ast, nil, func(n ast.Node, stack []ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fun, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			on, _ := fun.X.(*ast.Ident)
			switch name := fun.Sel.Name; {
			case (name == "Skip" || name == "Skipf" || name == "SkipNow") && !(on != nil && isRapid(stack, on.Name)):
				report(f, call, "the test is skipped")
			case name == "Short" && on != nil && on.Name == "testing":
				report(f, call, "the test is another one with -short")
			}
			return true
		})
	}
}

// isRapid reports whether a name is a parameter of type *rapid.T of the innermost
// function around it that has a parameter of that name.
func isRapid(stack []ast.Node, name string) bool {
	for _, n := range slices.Backward(stack) {
		var typ *ast.FuncType
		switch n := n.(type) {
		case *ast.FuncLit:
			typ = n.Type
		case *ast.FuncDecl:
			typ = n.Type
		default:
			continue
		}
		for _, field := range typ.Params.List {
			if !slices.ContainsFunc(field.Names, func(id *ast.Ident) bool { return id.Name == name }) {
				continue
			}
			star, _ := field.Type.(*ast.StarExpr)
			if star == nil {
				return false
			}
			sel, _ := star.X.(*ast.SelectorExpr)
			if sel == nil {
				return false
			}
			pkgName, _ := sel.X.(*ast.Ident)
			return pkgName != nil && pkgName.Name == "rapid"
		}
	}
	return false
}

func short(p *pkg, report reporter) {
	for _, f := range p.files {
		if f.lines > MaxLines {
			report(f, nil, "the file has %d lines; %d is the most", f.lines, MaxLines)
		}
	}
}
