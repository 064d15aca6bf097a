package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stet-dev/stet/internal/term"
)

const tableHead = "| stet | each | peer | each | ratio | min–max | target | verdict |\n| --- | --: | --- | --: | --: | --: | --: | --- |\n"

// TestComparison holds the table against rounds that were made up: rows are the same
// by what they measure and beside what, and one that a commit has not is shown as such.
func TestComparison(t *testing.T) {
	p := newComparison("v1")
	for _, round := range []struct {
		now  bool
		rows string
	}{
		{false, "| Get | 10.0 ns | map | 5.00 ns | 2.00 | 2.00–2.00 | ≤ 2.00 | met |\n| gone | 1.00 s | x | 1.00 s | 1 | 1 | 1 | met |\n"},
		{true, "| Get | 12.0 ns | map | 5.00 ns | 2.40 | 2.40–2.40 | ≤ 2.00 | MISSED |\n| Get | 990 ns | Python | – | – | – | ≥ 2.00 | LEFT OUT |\n"},
		{true, "| Get | 8.00 ns | map | 10.0 ns | 0.80 | 0.80–0.80 | ≤ 2.00 | met |\n| Get | 1.01 µs | Python | – | – | – | ≥ 2.00 | LEFT OUT |\n"},
		{false, "| Get | 20.0 ns | map | 5.00 ns | 4.00 | 4.00–4.00 | ≤ 2.00 | MISSED |\n| gone | 3.00 s | x | 1.00 s | 1 | 1 | 1 | met |\n"},
	} {
		if err := p.add(round.now, "Before.\n\n"+tableHead+round.rows+"\n35 met.\n"); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := term.New(f, false)
	p.write(out)
	out.Flush()
	got, err := os.ReadFile(f.Name())
	const want = "15.0 ns\t10.0 ns\t0.67\t0.40–1.20\t1.50\tGet × map\n" +
		"2.00 s\t–\t–\t–\t–\tgone × x\n" +
		"–\t1.00 µs\t–\t–\t–\tGet × Python\n"
	if err != nil || string(got) != want {
		t.Errorf("%v, got\n%swant\n%s", err, got, want)
	}
	if err := p.add(true, tableHead+"| Get | fast | map | 5.00 ns |\n"); err == nil {
		t.Error("a figure that is none was taken for one")
	}
}
