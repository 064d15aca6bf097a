package scale

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/stet-dev/stet/bench/report"
)

// A panel is one chart of the plot: some figures against the number of versions,
// both logarithmic.
type panel struct {
	title  string
	unit   report.Unit
	names  []string
	labels []string // beside the lines
	flat   bool     // what should not grow; otherwise what should grow in proportion
}

var panels = []panel{
	{"Reads that are hot", report.Seconds, []string{GetHot, ExactHot, RangeHot, LongLatest, LongExact}, []string{"latest", "exact", "^1", "latest of the long one", "exact of the long one"}, true},
	{"Reads that are cold, and pages of 100", report.Seconds, []string{GetCold, ListFirst, ListDeep, HeadsFirst, HeadsDeep}, []string{"Get, cold", "versions, first", "versions, middle", "prompts, first", "prompts, middle"}, true},
	{"Save", report.Seconds, []string{SaveOne, SaveMany}, []string{"1 saver", "128 savers"}, true},
	{"Bytes a version", report.Bytes, []string{FileEach, HeapOpen}, []string{"file", "live heap"}, true},
	{"The whole store", report.Seconds, []string{Verify, Open, Printing, Backup}, []string{"verify", "open", "sqlite3 prints heads", "backup"}, false},
}

// Colours of the lines: of middling lightness, so that they can be told from a white
// page and from a black one, and from each other by those who see few colours.
var colours = []string{"#3b82c4", "#d9772b", "#2e9e6b", "#b45fb0", "#a88b1f"}

// grey is for all other strokes and letters.
const grey = "#7d8590"

// The geometry, in pixels.
const (
	panelWidth, panelHeight = 490, 250
	plotLeft, plotTop       = 62, 40
	plotWidth, plotHeight   = 210, 165
	columns                 = 2
)

// Plot draws how the figures grow from store to store, as SVG with a transparent
// background.
func (r *Report) Plot() string {
	var b strings.Builder
	rows := (len(panels) + columns - 1) / columns
	w, h := columns*panelWidth, rows*panelHeight+30
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui,sans-serif" font-size="12" fill="%s">`+"\n", w, h, w, h, grey)
	fmt.Fprintf(&b, "<title>How stet's figures grow with the number of versions</title>\n")
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d,%d)">`+"\n", i%columns*panelWidth, i/columns*panelHeight)
		r.panel(&b, p)
		b.WriteString("</g>\n")
	}
	note := fmt.Sprintf("%s, %s, %d processors. Both axes are logarithmic. Dashed: in proportion to the versions.", r.Go, r.Platform, r.Processors)
	fmt.Fprintf(&b, `<text x="12" y="%d">%s</text>`+"\n", h-10, html.EscapeString(note))
	b.WriteString("</svg>\n")
	return b.String()
}

type point struct{ x, y float64 }

func (r *Report) panel(b *strings.Builder, p panel) {
	lines := make([][]point, len(p.names))
	least, most := math.Inf(1), math.Inf(-1)
	for i, name := range p.names {
		for k := range r.Stores {
			if v, ok := r.Stores[k].Get(name); ok && v > 0 {
				lines[i] = append(lines[i], point{float64(r.Stores[k].Versions), v})
				least, most = min(least, v), max(most, v)
			}
		}
	}
	fmt.Fprintf(b, `<text x="12" y="22" font-weight="600" font-size="13">%s</text>`+"\n", html.EscapeString(p.title))
	if len(r.Stores) == 0 || math.IsInf(least, 0) {
		return
	}
	first, last := float64(r.Stores[0].Versions), float64(r.Stores[len(r.Stores)-1].Versions)
	if last == first {
		last = first * 10
	}
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	if high-low < 2 { // or a little noise looks like a mountain
		high = low + 2
	}
	x := func(v float64) float64 { return plotLeft + plotWidth*math.Log(v/first)/math.Log(last/first) }
	y := func(v float64) float64 { return plotTop + plotHeight*(high-math.Log10(v))/(high-low) }

	for e := low; e <= high; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="%s" stroke-opacity="0.3"/>`, plotLeft, plotLeft+plotWidth, y(v), y(v), grey)
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-6, y(v)+4, tick(v, p.unit))
	}
	for k := range r.Stores {
		at := x(float64(r.Stores[k].Versions))
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="%s" stroke-opacity="0.3"/>`, at, at, plotTop, plotTop+plotHeight, grey)
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", at, plotTop+plotHeight+18, short(r.Stores[k].Versions))
	}
	if !p.flat && len(lines[0]) > 0 { // what growing in proportion looks like
		from := lines[0][0]
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-dasharray="3 4"/>`+"\n", x(from.x), y(from.y), x(last), y(min(from.y*last/from.x, math.Pow(10, high))), grey)
	}
	r.lines(b, p, lines, x, y)
}

// lines draws the lines and, at their ends, what they are: apart from each other
// even where the lines are not.
func (r *Report) lines(b *strings.Builder, p panel, lines [][]point, x, y func(float64) float64) {
	const apart = 15
	type end struct {
		line int
		y    float64
	}
	var ends []end
	for i, line := range lines {
		if len(line) == 0 {
			continue
		}
		var path strings.Builder
		for k, pt := range line {
			fmt.Fprintf(&path, "%s%.1f,%.1f", map[bool]string{true: "M", false: "L"}[k == 0], x(pt.x), y(pt.y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x(pt.x), y(pt.y), colours[i])
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), colours[i])
		ends = append(ends, end{i, y(line[len(line)-1].y)})
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(a.y, b.y) })
	for i := 1; i < len(ends); i++ {
		ends[i].y = max(ends[i].y, ends[i-1].y+apart)
	}
	bottom := float64(plotTop + plotHeight)
	for i := len(ends) - 1; i >= 0; i-- {
		ends[i].y = min(ends[i].y, bottom)
		bottom = ends[i].y - apart
	}
	for _, e := range ends {
		line := lines[e.line]
		fmt.Fprintf(b, `<text x="%d" y="%.1f" fill="%s">%s %s</text>`+"\n", plotLeft+plotWidth+9, e.y+4, colours[e.line],
			html.EscapeString(p.labels[e.line]), html.EscapeString(report.Format(line[len(line)-1].y, p.unit)))
	}
}

// tick writes a power of ten.
func tick(v float64, unit report.Unit) string {
	name := report.Format(v*1.0000001, unit)
	return strings.NewReplacer(".00", "", ".0", "").Replace(name)
}

// short writes a number of versions.
func short(n int) string {
	switch {
	case n >= 1e6:
		return strings.TrimSuffix(fmt.Sprintf("%.2f", float64(n)/1e6), "0") + "M"
	case n >= 1e3:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
