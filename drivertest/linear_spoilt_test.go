package drivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stet-dev/stet/driver"
	"github.com/stet-dev/stet/memory"
)

// A spoiler makes calls of a store and answers them wrongly. ask asks the store.
type spoiler func(c *Call, ask func(*Call) Answer) Answer

type spoilt struct {
	Doer
	spoil spoiler
}

func (s spoilt) Do(ctx context.Context, c *Call) Answer {
	return s.spoil(c, func(c *Call) Answer { return s.Doer.Do(ctx, c) })
}

// of spoils the calls of a kind that are answered.
func of(kind string, spoil func(c *Call, a *Answer)) spoiler {
	return func(c *Call, ask func(*Call) Answer) Answer {
		a := ask(c)
		if c.Kind == kind && a.Code == "" {
			spoil(c, &a)
		}
		return a
	}
}

// other asks something else instead.
func other(change func(c *Call)) spoiler {
	return func(c *Call, ask func(*Call) Answer) Answer {
		o := *c
		change(&o)
		return ask(&o)
	}
}

// stale answers the calls of a kind with what was answered when the same was asked
// first.
func stale(kind string) spoiler {
	var seen sync.Map // an answer by what was asked for
	return of(kind, func(c *Call, a *Answer) {
		first, _ := seen.LoadOrStore(c.String(), *a)
		*a = first.(Answer)
	})
}

func at(change func(c *Call)) spoiler {
	return other(func(c *Call) {
		if !c.Time.IsZero() {
			change(c)
		}
	})
}

var spoilers = []struct {
	what  string
	spoil func() spoiler
}{
	{"changes without the newest", func() spoiler {
		return of("changes", func(c *Call, a *Answer) {
			if n := len(a.Lines) - 1; n >= 0 && !a.More {
				a.Lines, a.Revs, a.IDs, a.Stamps = a.Lines[:n], a.Revs[:n], a.IDs[:n], a.Stamps[:n]
			}
		})
	}},
	{"changes that end with a page", func() spoiler { return of("changes", func(c *Call, a *Answer) { a.More = false }) }},
	{"changes over the limit", func() spoiler {
		return other(func(c *Call) {
			if c.Kind == "changes" && c.Limit > 0 && c.Limit < 4 {
				c.Limit++
			}
		})
	}},
	{"changes from and not after", func() spoiler {
		return other(func(c *Call) {
			if c.Kind == "changes" && c.Since > 0 {
				c.Since--
			}
		})
	}},
	{"changes of another id", func() spoiler {
		return of("changes", func(c *Call, a *Answer) {
			for i := range a.IDs {
				a.IDs[i] += "x"
			}
		})
	}},
	{"changes with another author", func() spoiler {
		return of("changes", func(c *Call, a *Answer) {
			for i := range a.Lines {
				a.Lines[i] = strings.Replace(a.Lines[i], "c1: ", "c2: ", 1)
			}
		})
	}},
	{"changes in no order", func() spoiler {
		return of("changes", func(c *Call, a *Answer) {
			slices.Reverse(a.Lines)
			slices.Reverse(a.IDs)
		})
	}},
	{"changes after a revision that is not there", func() spoiler {
		return func(c *Call, ask func(*Call) Answer) Answer {
			a := ask(c)
			if c.Kind == "changes" && a.Code == "not_found" {
				a = Answer{Op: -1}
			}
			return a
		}
	}},
	{"changes of some time ago", func() spoiler { return stale("changes") }},
	{"a time that is the commit's before", func() spoiler {
		return of("changes", func(c *Call, a *Answer) {
			for i := range a.Stamps {
				a.Stamps[i].Time = a.Stamps[i].Time.Add(-time.Second)
			}
		})
	}},
	{"at a time: before and not after it", func() spoiler { return at(func(c *Call) { c.Time = c.Time.Add(-time.Nanosecond) }) }},
	{"at a time: the next commit", func() spoiler { return at(func(c *Call) { c.Time = c.Time.Add(time.Second) }) }},
	{"at a time: now", func() spoiler { return at(func(c *Call) { c.Time = time.Time{} }) }},
	{"at a time: the first commit before all", func() spoiler {
		return at(func(c *Call) {
			if c.Time.Before(dawn) {
				c.Time, c.At = time.Time{}, 1
			}
		})
	}},
	{"a blank for a missing value", func() spoiler {
		return other(func(c *Call) {
			if c.Kind == "render" {
				v := *c.Values
				v.Variables = map[string]string{"text": v.Variables["text"], "tone": v.Variables["tone"]}
				c.Values = &v
			}
		})
	}},
	{"values that are escaped", func() spoiler {
		return of("render", func(c *Call, a *Answer) { a.Lines[0] = html.EscapeString(a.Lines[0]) })
	}},
	{"values that are filled again", func() spoiler {
		return of("render", func(c *Call, a *Answer) {
			a.Lines[0] = strings.ReplaceAll(a.Lines[0], "{{tone}}", c.Values.Variables["tone"])
		})
	}},
	{"no messages for a placeholder", func() spoiler {
		return of("render", func(c *Call, a *Answer) { a.Lines[0] = strings.ReplaceAll(a.Lines[0], `"assistant"`, `""`) })
	}},
	{"the version of long ago rendered", func() spoiler {
		return other(func(c *Call) {
			if c.Kind == "render" && !c.past() {
				c.At = 1
			}
		})
	}},
}

// TestSpoilt shows that the histories tell what is wrong with changes, with reads at
// a time and with what is rendered: each wrong answer is found, and found again in
// the history that was saved.
func TestSpoilt(t *testing.T) {
	if *keepFlag != "" {
		defer func(old string) { *keepFlag = old }(*keepFlag)
		*keepFlag = ""
	}
	cl := clients{n: 4, calls: 24, writes: 60, world: worldPrompts[:3], past: true} // of more it takes long to find no order
	h := Harness{OpenLog: func(context.Context) (driver.Log, error) { return memory.New(), nil }}
	for _, s := range spoilers {
		t.Run(s.what, func(t *testing.T) {
			for seed := range uint64(300) {
				var found, again error
				err := storeCase("", "", func(r *rig) {
					history := cl.run(r.ctx, spoilt{r, s.spoil()}, seed+1)
					if found = history.Check(); found == nil {
						return
					}
					var saved History
					b, err := json.Marshal(history)
					r.must(err, "saving")
					r.must(json.Unmarshal(b, &saved), "reading")
					again = saved.Check()
				}).Run(t.Context(), &h)
				if err != nil {
					t.Fatal(err)
				}
				if found != nil {
					t.Logf("history %d: %.200v", seed+1, found)
					if again == nil {
						t.Error("it is not found in the history that was saved")
					}
					return
				}
			}
			t.Error("nothing is found")
		})
	}
}

// TestTimetable is what a read at a time can be of where the time of a commit is not
// known.
func TestTimetable(t *testing.T) {
	when := timetable{}
	for _, rev := range []uint64{1, 2, 5, 6} {
		when[rev] = dawn.Add(time.Duration(rev) * time.Second)
	}
	for _, c := range []struct {
		seconds float64
		newest  uint64
		want    string
	}{
		{0.5, 6, "[0]"}, {1, 6, "[1]"}, {1.5, 6, "[1]"}, {2, 2, "[2]"}, {2, 6, "[4 3 2]"}, {4, 3, "[3 2]"}, {5, 6, "[5]"}, {9, 6, "[6]"}, {9, 8, "[8 7 6]"}, {9, 0, "[0]"},
	} {
		var got []uint64
		for _, s := range when.resolve(&Call{Time: dawn.Add(time.Duration(c.seconds * float64(time.Second)))}, c.newest) {
			got = append(got, s.At)
		}
		if s := fmt.Sprint(got); s != c.want {
			t.Errorf("%g s at revision %d is of %s, and should be of %s", c.seconds, c.newest, s, c.want)
		}
	}
	if got := when.end(); got != 2 {
		t.Errorf("times are known up to %d, and should be up to 2", got)
	}
}
