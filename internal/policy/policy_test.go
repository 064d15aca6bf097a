package policy

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// root is the repository, seen from here.
const root = "../.."

func TestRepository(t *testing.T) {
	found, err := Check(os.DirFS(root))
	report(t, found, err)
}

func report(t *testing.T, found []Violation, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// sound is a tree that breaks no rule; each plant adds something that does.
var sound = map[string]string{
	"stet.go":        "// Package stet is.\npackage stet\n\nimport \"" + Module + "/content\"\n\n// Store is.\ntype Store struct{ Content content.Content }\n",
	"content/c.go":   "// Package content is.\npackage content\n\n// Content is.\ntype Content struct{}\n",
	"core/core.go":   "// Package core is.\npackage core\n\nimport \"context\"\n\n// Core is.\ntype Core struct{ Ctx context.Context }\n\nfunc (c *Core) hidden() {}\n",
	"memory/m.go":    "// Package memory is.\npackage memory\n\nimport _ \"" + Module + "\"\n",
	"bench/go.mod":   "module bench\n",
	"bench/bench.go": "package main\n\nimport _ \"" + Module + "/sqlite\"\n",
}

var plants = []struct {
	rule string
	path string
	src  string
	want string
}{
	{
		"imports point downwards", "up.go", "package stet\n\nimport _ \"" + Module + "/core\"\n",
		"up.go:3: . (layer 3) imports core (layer 5) (imports point downwards)",
	},
	{
		"imports point downwards", "memory/side.go", "package memory\n\nimport _ \"" + Module + "/sqlite\"\n",
		"memory/side.go:3: memory (layer 6) imports sqlite (layer 6) (imports point downwards)",
	},
	{
		"imports point downwards", "content/engine.go", "package content\n\nimport _ \"" + Module + "/memory\"\n",
		"content/engine.go:3: content (layer 1) imports memory (layer 6) (imports point downwards)",
	},
	{
		"imports point downwards", "new/new.go", "// Package new is.\npackage new\n",
		"new: the package is in no layer: say in internal/policy/layers.go where it stands (imports point downwards)",
	},
	{
		"no I/O in the domain and core", "core/io.go", "package core\n\nimport _ \"os\"\n",
		"core/io.go:3: core imports os, which is not on the list of what cannot do I/O (no I/O in the domain and core)",
	},
	{
		"no I/O in the domain and core", "sql.go", "package stet\n\nimport _ \"database/sql\"\n",
		"sql.go:3: . imports database/sql, which is not on the list of what cannot do I/O (no I/O in the domain and core)",
	},
	{
		"no I/O in the domain and core", "print.go", "package stet\n\nimport \"fmt\"\n\nfunc p() { fmt.Println() }\n",
		"print.go:5: . writes to or reads from the terminal (no I/O in the domain and core)",
	},
	{
		"no I/O in the domain and core", "print.go", "package stet\n\nfunc p() { println() }\n",
		"print.go:3: . writes to or reads from the terminal (no I/O in the domain and core)",
	},
	{
		"every package has a comment", "driver/d.go", "package driver\n",
		"driver: no file of the package has a package comment (every package has a comment)",
	},
	{
		"every exported name has a comment", "core/func.go", "package core\n\nfunc (c *Core) Naked() {}\n",
		"core/func.go:3: Naked has no comment (every exported name has a comment)",
	},
	{
		"every exported name has a comment", "core/type.go", "package core\n\ntype Naked struct{}\n",
		"core/type.go:3: Naked has no comment (every exported name has a comment)",
	},
	{
		"every exported name has a comment", "core/const.go", "package core\n\nconst (\n\t// One is.\n\tOne = 1\n\tTwo = 2\n)\n",
		"core/const.go:6: Two has no comment (every exported name has a comment)",
	},
	{
		"tests do not sleep", "core/core_test.go", "package core\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
		"core/core_test.go:5: the test sleeps; wait for what it waits for (tests do not sleep)",
	},
	{
		"tests are not skipped", "core/core_test.go", "package core\n\nimport \"testing\"\n\nfunc f(t *testing.T) { t.Skip() }\n",
		"core/core_test.go:5: the test is skipped (tests are not skipped)",
	},
	{
		"tests are not skipped", "core/core_test.go", "package core\n\nimport \"testing\"\n\nvar _ = testing.Short()\n",
		"core/core_test.go:5: the test is another one with -short (tests are not skipped)",
	},
	{
		"tests are not skipped", "drivertest/d.go", "// Package drivertest is.\npackage drivertest\n\nimport (\n\t\"testing\"\n\n\t\"pgregory.net/rapid\"\n)\n\n" +
			"func f(t *testing.T) {\n\tt.SkipNow()\n\trapid.Check(t, func(t *rapid.T) { func() { t.Skip() }() })\n}\n",
		"drivertest/d.go:11: the test is skipped (tests are not skipped)",
	},
	{
		"files are short", "core/long.go", "package core\n" + strings.Repeat("\n", MaxLines),
		"core/long.go: the file has 601 lines; 600 is the most (files are short)",
	},
}

// TestPlants shows each rule to fail.
func TestPlants(t *testing.T) {
	found, err := Check(tree("", ""))
	report(t, found, err)
	shown := make(map[string]bool)
	for _, p := range plants {
		shown[p.rule] = true
		found, err := Check(tree(p.path, p.src))
		if err != nil {
			t.Errorf("%s: %v", p.path, err)
			continue
		}
		if len(found) != 1 || found[0].String() != p.want {
			t.Errorf("planted %s:\n got  %v\n want %v", p.path, found, p.want)
		}
	}
	for _, r := range rules {
		if !shown[r.name] {
			t.Errorf("no plant shows that the rule %q can fail", r.name)
		}
	}
}

func tree(path, src string) fs.FS {
	files := make(fstest.MapFS)
	all := maps.Clone(sound)
	if path != "" {
		all[path] = src
	}
	for p, s := range all {
		files[p] = &fstest.MapFile{Data: []byte(s)}
	}
	return files
}

// TestExceptions shows that an exception excuses, and that one too many is found.
func TestExceptions(t *testing.T) {
	e := exception{"files are short", "core/long.go"}
	exceptions[e] = "for the test"
	defer delete(exceptions, e)
	found, err := Check(tree("core/long.go", "package core\n"+strings.Repeat("\n", MaxLines)))
	report(t, found, err)
	found, err = Check(tree("", ""))
	if err != nil || len(found) != 1 || !strings.Contains(found[0].What, "the exception is not needed") {
		t.Errorf("an exception that excuses nothing: %v, %v", found, err)
	}
}

func TestLibc(t *testing.T) {
	found, err := CheckLibc([]byte("require modernc.org/libc v1.2.0\n"), []byte("require modernc.org/libc v1.3.0\n"))
	if err != nil || len(found) != 1 {
		t.Errorf("planted: %v, %v", found, err)
	}
	sqlite := strings.TrimSpace(goCommand(t, "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite"))
	found, err = CheckLibc(read(t, filepath.Join(root, "go.mod")), read(t, sqlite))
	report(t, found, err)
}

func TestBenchModules(t *testing.T) {
	none := func(string) bool { return false }
	planted := []byte("module x\nrequire go.etcd.io/bbolt v1.5.0\n")
	found, err := CheckBench(planted, planted, none)
	if err != nil || len(found) != 1 {
		t.Errorf("planted: %v, %v", found, err)
	}
	// "go list" knows every package of the module and of what it imports.
	built := strings.Fields(goCommand(t, "list", "-deps", "-test", "-e", "-f", "{{with .Module}}{{.Path}}{{end}}", "./..."))
	imported := func(module string) bool { return slices.Contains(built, module) }
	found, err = CheckBench(read(t, filepath.Join(root, "go.mod")), read(t, filepath.Join(root, "bench/go.mod")), imported)
	report(t, found, err)
}

func TestDocs(t *testing.T) {
	planted := fstest.MapFS{
		"Makefile":  {Data: []byte("test: build\n")},
		"README.md": {Data: []byte("[a](b.md), [c](Makefile#d), [e](https://f), `make test`, `make nothing`\n```\n[in](code)\n```\n")},
	}
	found, err := CheckDocs(planted, "README.md")
	if err != nil || len(found) != 2 {
		t.Errorf("planted: %v, %v", found, err)
	}
	tree := os.DirFS(root)
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		some, err := fs.Glob(tree, pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, some...)
	}
	found, err = CheckDocs(tree, names...)
	report(t, found, err)
	const most = 9000 // what somebody who has five minutes reads
	if n := len(read(t, filepath.Join(root, "README.md"))); n > most {
		t.Errorf("the README has %d bytes; %d is the most", n, most)
	}
}

// TestSnippets: where two pages show how a proxy is set up, they show the same.
func TestSnippets(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	first := make(map[string]string) // language → page
	text := make(map[string]string)
	for _, page := range pages {
		for _, language := range []string{"nginx", "caddy"} {
			_, block, found := strings.Cut(string(read(t, page)), "\n```"+language+"\n")
			if !found {
				continue
			}
			block, _, _ = strings.Cut(block, "\n```\n")
			if first[language] == "" {
				first[language], text[language] = page, block
			}
			if text[language] != block {
				t.Errorf("%s and %s differ in how %s is set up", first[language], page, language)
			}
		}
	}
	if len(first) != 2 {
		t.Errorf("no page says how a proxy is set up: %v", first)
	}
}

func TestLimits(t *testing.T) {
	planted := fstest.MapFS{
		"core/core.go": {Data: []byte("package core\n\nconst (\n\tmost = 2*kilo - 1\n\tkilo = 1 << 10\n)\n")},
		"doc.md":       {Data: []byte("| what | most | constant |\n|---|---|---|\n| a | 2,047 | `core.most` |\n| b | 7 | `core.kilo` |\n| c | 7 | `core.none` |\n")},
		"twice.md":     {Data: []byte("| what | most | constant |\n|---|---|---|\n| a | 2,047 | `core.most` |\n| b | 1,024 | `core.kilo` |\n| a | 2,047 | `core.most` |\n")},
		"odd.md":       {Data: []byte("| what | most | constant |\n|---|---|---|\n| a | 2,047 | `core.most` |\n| b | 1 KiB | `core.kilo` |\n")},
		"empty.md":     {},
	}
	found, err := CheckLimits(planted, "doc.md")
	if err != nil || len(found) != 2 {
		t.Errorf("planted: %v, %v", found, err)
	}
	for name, says := range map[string]string{"twice.md": "core.most stands in two rows", "odd.md": "1 KiB"} {
		found, err = CheckLimits(planted, name)
		if err != nil || len(found) != 1 || !strings.Contains(found[0].What, says) {
			t.Errorf("planted in %s: %v, %v", name, found, err)
		}
	}
	found, err = CheckLimits(planted, "empty.md")
	if err != nil || len(found) != 1 {
		t.Errorf("planted: %v, %v", found, err)
	}
	found, err = CheckLimits(os.DirFS(root), "docs/guarantees.md")
	report(t, found, err)
}

// TestReadmeProgram holds the program that the README shows against the one that
// is built, and runs that.
func TestReadmeProgram(t *testing.T) {
	readme := string(read(t, filepath.Join(root, "README.md")))
	program := string(read(t, filepath.Join(root, "examples/quickstart/main.go")))
	_, program, _ = strings.Cut(program, "\npackage main\n")
	if !strings.Contains(readme, "```go\npackage main\n"+program+"```\n") {
		t.Error("the README's program is not that of examples/quickstart")
	}
	out := goCommand(t, "run", "./examples/quickstart")
	if !strings.Contains(readme, "```\n"+out+"```\n") {
		t.Errorf("the README does not show what the program prints, which is:\n%s", out)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goCommand runs the go command in the repository and returns what it prints.
func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}
