package mutants

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// A mutant is one known defect: a file of testdata.
type mutant struct {
	name         string
	traps        string // their numbers in docs/design.md, "" if it is none of them
	finds        string // the case that finds it
	harness      string
	replacements []replacement
}

// A replacement is whole lines of a file, and what the mutant has instead.
type replacement struct {
	mutant, file string
	old, new     string
}

// loadMutants reads the mutants of a directory, in the order of their names.
func loadMutants(dir fs.FS) ([]mutant, error) {
	files, err := fs.Glob(dir, "*.txtar")
	if err != nil {
		return nil, err
	}
	mutants := make([]mutant, len(files))
	for i, file := range files {
		text, err := fs.ReadFile(dir, file)
		if err != nil {
			return nil, err
		}
		if mutants[i], err = parseMutant(strings.TrimSuffix(file, path.Ext(file)), text); err != nil {
			return nil, fmt.Errorf("testdata/%s: %w", file, err)
		}
	}
	return mutants, nil
}

func parseMutant(name string, text []byte) (mutant, error) {
	m := mutant{name: name, harness: "memory"}
	archive := txtar.Parse(text)
	about, fields, _ := strings.Cut(string(archive.Comment), "\n\n")
	if strings.TrimSpace(about) == "" {
		return m, fmt.Errorf("it does not begin with a sentence that says what the defect is")
	}
	for line := range strings.Lines(fields) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		switch key, value, _ := strings.Cut(line, ": "); key {
		case "Trap", "Traps":
			m.traps = value
		case "Case":
			m.finds = value
		case "Harness":
			m.harness = value
		default:
			return m, fmt.Errorf("this is none of Trap, Case and Harness: %s", line)
		}
	}
	if m.finds == "" {
		return m, fmt.Errorf("it does not name the case that finds it (Case: …)")
	}
	if harnesses[m.harness] == nil {
		return m, fmt.Errorf("there is no harness %q", m.harness)
	}
	return m, m.parseReplacements(archive.Files)
}

func (m *mutant) parseReplacements(files []txtar.File) error {
	if len(files) == 0 {
		return fmt.Errorf("it replaces nothing")
	}
	own := fmt.Sprintf("mutantOn(%q)", m.name)
	for len(files) > 0 {
		if len(files) == 1 || files[1].Name != "becomes" {
			return fmt.Errorf("after the lines of %s there is no \"-- becomes --\"", files[0].Name)
		}
		r := replacement{m.name, files[0].Name, lines(files[0].Data), lines(files[1].Data)}
		files = files[2:]
		switch on := strings.Count(r.new, "mutantOn("); {
		case r.old == "":
			return fmt.Errorf("no lines of %s are given", r.file)
		case on == 0 || on != strings.Count(r.new, own):
			return fmt.Errorf("what %s is to have must ask %s, and for no other mutant", r.file, own)
		}
		m.replacements = append(m.replacements, r)
	}
	return nil
}

// lines returns the text without the blank lines around it, which are for readers.
func lines(text []byte) string {
	s := strings.Trim(string(text), "\n")
	if s == "" {
		return ""
	}
	return s + "\n"
}
