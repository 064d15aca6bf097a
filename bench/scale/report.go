package scale

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/stet-dev/stet/bench/report"
)

// A Report is what was measured of some stores, the smallest first.
type Report struct {
	Go         string    `json:"go"`
	Platform   string    `json:"platform"`
	Processors int       `json:"processors"`
	Stores     []Figures `json:"stores"`
	// Targets are what the figures should be, of the largest store.
	Targets []Target `json:"targets"`
	// LeftOut says what could not be measured here, and why.
	LeftOut []string `json:"left_out"`
}

// Figures are those of one store.
type Figures struct {
	Versions int      `json:"versions"` // that live
	Prompts  int      `json:"prompts"`
	Long     int      `json:"long"`    // versions of the longest history
	Commits  uint64   `json:"commits"` // in the log
	RawBytes int64    `json:"raw_bytes"`
	Tables   []Table  `json:"tables"`
	Rows     []Figure `json:"figures"`
}

// A Table is a part of the file.
type Table struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Unused int64  `json:"unused"` // of them, those that hold nothing
}

// A Figure is one thing that was measured.
type Figure struct {
	Group string      `json:"group"`
	Name  string      `json:"name"`
	Unit  report.Unit `json:"unit"`
	Value float64     `json:"value"`
}

// The groups of figures, in the order in which they are shown.
const (
	Whole = "the whole store"
	Space = "space"
	Reads = "reads"
	Saves = "saves"
)

// A Target is what a figure of two should be at most, as a ratio.
type Target struct {
	Name  string      `json:"name"`
	Ratio float64     `json:"ratio"`
	Most  float64     `json:"most"`
	Unit  report.Unit `json:"unit"`
}

// Met reports whether the target is met.
func (t Target) Met() bool { return t.Ratio <= t.Most }

func newReport() *Report {
	return &Report{
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.GOMAXPROCS(0),
		Stores: []Figures{}, Targets: []Target{}, LeftOut: []string{},
	}
}

func (r *Report) leftOut(what string) {
	if !slices.Contains(r.LeftOut, what) {
		r.LeftOut = append(r.LeftOut, what)
	}
}

func (f *Figures) add(group, name string, unit report.Unit, value float64) {
	f.Rows = append(f.Rows, Figure{group, name, unit, value})
}

// Get returns the value of a figure; ok is false where it was not measured.
func (f *Figures) Get(name string) (value float64, ok bool) {
	for i := range f.Rows {
		if f.Rows[i].Name == name {
			return f.Rows[i].Value, true
		}
	}
	return 0, false
}

// targets are those of the design for a store of a million versions. They hold the
// largest store against the smallest, and are given for every size all the same.
func (r *Report) targets() {
	if len(r.Stores) == 0 {
		return
	}
	small, large := &r.Stores[0], &r.Stores[len(r.Stores)-1]
	n := humanize.Comma(int64(large.Versions))
	over := func(name string, f *Figures, of string, g *Figures, by string, most float64) {
		a, ok := f.Get(of)
		b, ok2 := g.Get(by)
		if ok && ok2 && b > 0 {
			r.Targets = append(r.Targets, Target{name, a / b, most, report.Times})
		}
	}
	over(fmt.Sprintf("%s versions: open, of what sqlite3 takes to print the head columns", n), large, Open, large, Printing, 3)
	if v, ok := large.Get(HeapOpen); ok {
		r.Targets = append(r.Targets, Target{n + " versions: live heap a version, opened", v, 160, report.Bytes})
	}
	if v, ok := large.Get(HeapFull); ok {
		r.Targets = append(r.Targets, Target{n + " versions: live heap a version, caches full, less their bound", v, 160, report.Bytes})
	}
	if v, ok := large.Get(FileRatio); ok {
		r.Targets = append(r.Targets, Target{n + " versions: file, of the raw text", v, 1.6, report.Times})
	}
	if len(r.Stores) > 1 {
		for _, name := range []string{SaveOne, SaveMany} {
			over(fmt.Sprintf("%s versions: %s, of the same at %s", n, name, humanize.Comma(int64(small.Versions))), large, name, small, name, 1.3)
		}
	}
}

// The names of the figures that targets and the plot are about.
const (
	Open      = "open"
	Printing  = "sqlite3 prints the head columns"
	Verify    = "verify"
	Backup    = "backup"
	FileRatio = "file, of the raw text"
	FileEach  = "file a version"
	HeapOpen  = "heap a version, opened"
	HeapFull  = "heap a version, caches full, less their bound"
	SaveOne   = "save, 1 saver"
	SaveMany  = "save, 128 savers"

	GetHot     = "get latest, hot"
	GetCold    = "get latest, cold"
	ExactHot   = "get exact, hot"
	ExactCold  = "get exact, cold"
	RangeHot   = "get ^1, hot"
	LongLatest = "get latest of the long one"
	LongExact  = "get exact of the long one, hot"
	LongRange  = "get a range of the long one"
	ListFirst  = "list, first page of 100"
	ListDeep   = "list, page of 100 in the middle of the long one"
	HeadsFirst = "prompts, first page of 100"
	HeadsDeep  = "prompts, page of 100 in the middle"
)
