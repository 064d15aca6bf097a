package scale_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/load"
	"github.com/stet-dev/stet/bench/scale"
	"github.com/stet-dev/stet/sqlite"
)

func openFile(ctx context.Context, address string) (*stet.Store, error) {
	return sqlite.Open(ctx, strings.TrimPrefix(address, "sqlite:"), nil)
}

// TestMeasure: every figure is there, of each store, and the drawing is XML with a
// line for each.
func TestMeasure(t *testing.T) {
	dir := t.TempDir()
	var addresses []string
	for i, n := range []int{60, 240} {
		address := "sqlite:" + filepath.Join(dir, string(rune('a'+i))+" b?.db") // a name that is no plain URL
		addresses = append(addresses, address)
		s, err := openFile(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		f := load.Fill{Corpus: load.Corpus{Seed: 1, Size: 256}, Versions: n, Prompts: n / 20, Long: n / 2, Batch: 10, Workers: 2}
		if err := errors.Join(f.Into(t.Context(), s), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := scale.Measure(t.Context(), scale.Options{Addresses: addresses, Open: openFile, Lap: time.Millisecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		scale.Open, scale.Verify, scale.Backup, scale.FileRatio, scale.FileEach, scale.HeapOpen, scale.HeapFull, scale.SaveOne, scale.SaveMany,
		scale.GetHot, scale.GetCold, scale.ExactHot, scale.ExactCold, scale.RangeHot, scale.LongLatest, scale.LongExact, scale.LongRange,
		scale.ListFirst, scale.ListDeep, scale.HeadsFirst, scale.HeadsDeep,
	}
	peer := !slices.ContainsFunc(r.LeftOut, func(s string) bool { return strings.HasPrefix(s, "sqlite3") })
	if peer {
		want = append(want, scale.Printing)
	} else {
		t.Log("LEFT OUT: ", r.LeftOut)
	}
	for i, n := range []int{60 + 30, 240 + 120} {
		f := &r.Stores[i]
		if f.Versions != n || f.RawBytes != int64(n)*256 {
			t.Errorf("store %d has %d versions and %d bytes of text, want %d", i, f.Versions, f.RawBytes, n)
		}
		for _, name := range want {
			if v, ok := f.Get(name); !ok || v <= 0 && !strings.HasPrefix(name, "heap") {
				t.Errorf("store %d: %s is %v, %v", i, name, v, ok)
			}
		}
	}
	if targets := 6; peer && len(r.Targets) != targets {
		t.Errorf("%d targets, want %d: %+v", len(r.Targets), targets, r.Targets)
	}
	svg := r.Plot()
	lines := 0
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the drawing is no XML: %v", err)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "path" {
			lines++
		}
	}
	if lines < 15 {
		t.Errorf("%d lines are drawn", lines)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("a coordinate is no number")
	}
}
