package policy

import (
	"fmt"

	"golang.org/x/mod/modfile"
)

// CheckLibc returns a violation unless the module requires exactly the version of
// modernc.org/libc that its modernc.org/sqlite was made with: sqlite is C translated
// against that libc, and is not tested with a newer one.
func CheckLibc(goMod, sqliteGoMod []byte) ([]Violation, error) {
	const libc = "modernc.org/libc"
	have, err := requirements(goMod)
	if err != nil {
		return nil, err
	}
	want, err := requirements(sqliteGoMod)
	if err != nil {
		return nil, err
	}
	if have[libc] != want[libc] {
		return []Violation{{
			Rule: "libc is sqlite's own", Path: "go.mod",
			What: fmt.Sprintf("%s is %s, and modernc.org/sqlite was made with %s", libc, have[libc], want[libc]),
		}}, nil
	}
	return nil, nil
}

// CheckBench returns a violation for every module that both the benchmarks and the main
// module require, but that is built into nothing of the main module: users would download
// the peers that stet is measured against. ("go mod tidy -diff" finds requirements that
// nothing needs.)
func CheckBench(goMod, benchGoMod []byte, built func(module string) bool) ([]Violation, error) {
	main, err := modfile.Parse("go.mod", goMod, nil)
	if err != nil {
		return nil, err
	}
	bench, err := modfile.Parse("bench/go.mod", benchGoMod, nil)
	if err != nil {
		return nil, err
	}
	direct := make(map[string]bool)
	for _, r := range bench.Require {
		direct[r.Mod.Path] = !r.Indirect
	}
	var found []Violation
	for _, r := range main.Require {
		if path := r.Mod.Path; !r.Indirect && direct[path] && !built(path) {
			found = append(found, Violation{
				Rule: "what only benchmarks need is in bench/go.mod", Path: "go.mod", Line: r.Syntax.Start.Line,
				What: fmt.Sprintf("%s is required, and only bench/ imports it", path),
			})
		}
	}
	return found, nil
}

// requirements returns the versions that a go.mod requires, by module.
func requirements(goMod []byte) (map[string]string, error) {
	f, err := modfile.ParseLax("go.mod", goMod, nil)
	if err != nil {
		return nil, err
	}
	versions := make(map[string]string, len(f.Require))
	for _, r := range f.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions, nil
}
