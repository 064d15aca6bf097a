package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	counted "github.com/stet-dev/stet/internal/load"
)

// A table is the results as people read them.
type table struct {
	plan    plan
	results []result
}

// head names the columns.
var head = []string{"stet", "each", "peer", "each", "ratio", "min–max", "target", "verdict"}

// write prints the table aligned for a terminal.
func (t table) write(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(head, "\t"))
	for _, r := range t.results {
		fmt.Fprintln(tw, strings.Join(r.cells(), "\t"))
	}
	tw.Flush()
	for _, line := range append(t.notes(), t.details()...) {
		fmt.Fprintln(w, line)
	}
}

// markdown returns the table as Markdown.
func (t table) markdown() string {
	var b strings.Builder
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(head)
	row([]string{"---", "--:", "---", "--:", "--:", "--:", "--:", "---"})
	for _, r := range t.results {
		row(r.cells())
	}
	for _, line := range t.notes() {
		fmt.Fprintf(&b, "\n%s\n", line)
	}
	if lines := t.details(); lines != nil {
		fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.Join(lines, "\n"))
	}
	return b.String()
}

// cells returns the row of one result.
func (r result) cells() []string {
	cells := []string{r.name, "–", r.peer, "–", "–", "–", r.goal(), "LEFT OUT"}
	if len(r.stetLaps) > 0 {
		cells[1] = r.unit.format(median(r.stetLaps))
	}
	if len(r.peerLaps) > 0 {
		cells[3] = r.unit.format(median(r.peerLaps))
	}
	if !r.complete() {
		return cells
	}
	ratio, least, most := r.ratio()
	cells[4], cells[5] = number(ratio), number(least)+"–"+number(most)
	cells[7] = "MISSED"
	if r.met() {
		cells[7] = "met"
	}
	if r.noAllocs {
		cells[7] += ", " + allocations(r.allocs())
	}
	return cells
}

// goal is the target with its direction.
func (m measure) goal() string {
	if m.most > 0 {
		return "≤ " + m.unit.format(m.most)
	}
	if m.better == atLeast {
		return "≥ " + number(m.target)
	}
	return "≤ " + number(m.target)
}

// notes says how the table came about and what is missing from it.
func (t table) notes() []string {
	notes := []string{
		fmt.Sprintf("%s, %s/%s, %s; %s, stet and peer in turn; laps of %v in memory, %v on disk or over HTTP.",
			runtime.Version(), runtime.GOOS, runtime.GOARCH, plural(runtime.GOMAXPROCS(0), "processor"),
			plural(t.plan.rounds, "round"), t.plan.lap, t.plan.durableLap()),
		"Each: elapsed time by operations, the median of the rounds.",
		"Ratio: of the medians; of times where small is good (≤), of rates where large is good (≥). Min–max: of the rounds.",
	}
	met, missed, said := 0, 0, map[string]bool{}
	for _, r := range t.results {
		switch {
		case r.complete() && r.met():
			met++
		case r.complete():
			missed++
		}
		if r.why != "" && !said[r.why] {
			said[r.why] = true
			notes = append(notes, "LEFT OUT: "+r.why)
		}
	}
	return append(notes, fmt.Sprintf("%d met, %d missed, %d left out.", met, missed, len(t.results)-met-missed))
}

// details says what single operations took, of all rounds together, and what each cost
// the server and the load generator of the processors' time, where that was measured.
// The latter, medians of the rounds, change less with what else a machine does.
func (t table) details() []string {
	var lines []string
	for _, r := range t.results {
		for _, side := range []struct {
			name string
			laps []sample
		}{{"stet", r.stetLaps}, {r.peer, r.peerLaps}} {
			if cells := details(side.laps); cells != nil {
				lines = append(lines, strings.Join(append(cells, side.name+", "+r.name), "\t"))
			}
		}
	}
	if lines == nil {
		return nil
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range slices.Insert(lines, 0, "p50\tp99\tp99.9\tserver's CPU\tgenerator's CPU\tof one operation of") {
		fmt.Fprintln(tw, line)
	}
	tw.Flush()
	return append([]string{
		"Server, peer and load generator are processes of their own on the same processors. Both sides have the same generator but etcd, which has its own client.",
		"stet is as stet serve starts it: its log in a file, and no keys, so that no rate is limited.",
	}, strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")...)
}

func details(laps []sample) []string {
	var all counted.Histogram
	var processor, generator []float64
	for _, s := range laps {
		if s.latency != nil {
			all.Merge(s.latency)
			processor, generator = append(processor, s.processor), append(generator, s.generator)
		}
	}
	if all.Count() == 0 {
		return nil
	}
	var cells []string
	for _, p := range []float64{0.5, 0.99, 0.999} {
		cells = append(cells, duration.format(float64(all.Percentile(p))))
	}
	return append(cells, duration.format(middle(processor)), duration.format(middle(generator)))
}

// format prints a figure with three significant digits.
func (u unit) format(x float64) string {
	if u == size {
		return digits(x/1024) + " KB"
	}
	nanos := x
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if nanos >= float64(u.of) {
			return digits(nanos/float64(u.of)) + " " + u.name
		}
	}
	return digits(nanos) + " ns"
}

// digits prints a number below a thousand with three significant digits.
func digits(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// number prints a ratio: two decimals, or whole with commas where it is large.
func number(x float64) string {
	if x < 1000 {
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	s := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func allocations(x float64) string {
	if x <= noise {
		return "0 allocs"
	}
	return strconv.FormatFloat(x, 'g', 3, 64) + " allocs"
}
