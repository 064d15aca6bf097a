package peers

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/stet-dev/stet/bench/report"
)

// A Table is the results as people read them.
type Table struct {
	plan    plan
	results []result
}

// head names the columns.
var head = []string{"stet", "each", "peer", "each", "ratio", "min–max", "target", "verdict"}

// Write prints the table aligned for a terminal, and nothing if it has no rows.
func (t Table) Write(w io.Writer) {
	if len(t.results) == 0 {
		return
	}
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

// Markdown returns the table as Markdown.
func (t Table) Markdown() string {
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
		cells[1] = r.format(median(r.stetLaps))
	}
	if len(r.peerLaps) > 0 {
		cells[3] = r.format(median(r.peerLaps))
	}
	if !r.complete() {
		return cells
	}
	ratio, least, most := r.ratio()
	cells[4], cells[5] = report.Ratio(ratio), report.Ratio(least)+"–"+report.Ratio(most)
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
		return "≤ " + m.format(m.most)
	}
	if m.better == atLeast {
		return "≥ " + report.Ratio(m.target)
	}
	return "≤ " + report.Ratio(m.target)
}

// notes says how the table came about and what is missing from it.
func (t Table) notes() []string {
	notes := []string{
		fmt.Sprintf("%s, %s/%s, %s; %s, stet and peer in turn; laps of %v in memory, %v on disk or over HTTP.",
			runtime.Version(), runtime.GOOS, runtime.GOARCH, report.Count(runtime.GOMAXPROCS(0), "processor"),
			report.Count(t.plan.rounds, "round"), t.plan.lap, t.plan.durableLap()),
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
func (t Table) details() []string {
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
	var all report.Histogram
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
		cells = append(cells, duration(float64(all.Percentile(p))))
	}
	return append(cells, duration(report.Median(processor)), duration(report.Median(generator)))
}

// format writes one of the row's figures.
func (m measure) format(x float64) string {
	if m.unit == report.Bytes {
		return report.Format(x, report.Bytes)
	}
	return duration(x)
}

func duration(nanos float64) string { return report.Format(nanos/1e9, report.Seconds) }

func allocations(x float64) string {
	if x <= noise {
		return "0 allocs"
	}
	return strconv.FormatFloat(x, 'g', 3, 64) + " allocs"
}
