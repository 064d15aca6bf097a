package race

import "testing"

func TestRace(t *testing.T) {
	shown := 0
	results, err := Run(t.Context(), Options{Workers: 32, Saves: 3000, Progress: func(r []Result) {
		if shown++; len(r) != 2 || r[1].Lost+r[1].Doubled > 0 {
			t.Errorf("while it runs: %+v", r)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	was, is := results[0], results[1]
	if was.Saved != 3000 || was.Lost == 0 || was.Doubled == 0 {
		t.Errorf("the original shows no defect: %+v", was)
	}
	if is.Saved != 3000 || is.Lost != 0 || is.Doubled != 0 {
		t.Errorf("stet: %+v", is)
	}
}
