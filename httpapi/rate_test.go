package httpapi

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stet-dev/stet"
)

// A clock is set by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func TestRates(t *testing.T) {
	c := newClock()
	r := newRates(2, 3, c.now)
	allowed := func(who string) int {
		n := 0
		for r.allow(http.Header{}, who) == nil && n < 100 {
			n++
		}
		return n
	}
	if n := allowed("a"); n != 3 {
		t.Errorf("at once a may do %d things, want 3", n)
	}
	if n := allowed("b"); n != 3 {
		t.Errorf("b may do %d things, want 3, whatever a does", n)
	}
	h := http.Header{}
	if err := r.allow(h, "a"); stet.CodeOf(err) != stet.CodeRateLimited || h.Get("Retry-After") != "1" {
		t.Errorf("one too many: %v, Retry-After %q", err, h.Get("Retry-After"))
	}
	c.advance(499 * time.Millisecond)
	if n := allowed("a"); n != 0 {
		t.Errorf("before half a second is over a may do %d more", n)
	}
	c.advance(time.Millisecond)
	if n := allowed("a"); n != 1 {
		t.Errorf("after half a second a may do %d more, want 1", n)
	}
	c.advance(time.Hour)
	if n := allowed("a"); n != 3 {
		t.Errorf("after a rest a may do %d more, want 3", n)
	}
	slow := newRates(.1, 1, c.now)
	slow.allow(http.Header{}, "a")
	h = http.Header{}
	if slow.allow(h, "a"); h.Get("Retry-After") != "10" {
		t.Errorf("at one in ten seconds Retry-After is %q", h.Get("Retry-After"))
	}
	if none := newRates(0, 0, c.now); none.allow(http.Header{}, "a") != nil {
		t.Error("without a limit there is one")
	}
}

// TestRatesAreBounded shows that however many come, no more are remembered than
// the table holds, that those who wait are not forgotten for it, and that room is
// made as soon as there is some.
func TestRatesAreBounded(t *testing.T) {
	c := newClock()
	r := newRates(1, 2, c.now)
	for i := range 2 * maxRates {
		r.allow(http.Header{}, fmt.Sprint(i))
	}
	if len(r.by) != maxRates {
		t.Errorf("the table has %d", len(r.by))
	}
	if err := r.allow(http.Header{}, "late"); stet.CodeOf(err) != stet.CodeRateLimited {
		t.Errorf("who finds the table full shares a bucket that is empty: %v", err)
	}
	r.allow(http.Header{}, "0")
	if err := r.allow(http.Header{}, "0"); stet.CodeOf(err) != stet.CodeRateLimited {
		t.Errorf("who was there first was forgotten: %v", err)
	}
	c.advance(2 * time.Second)
	r.allow(http.Header{}, "late")
	if r.by["late"] == nil || len(r.by) > 2 {
		t.Errorf("after a rest the table has %d, and the newcomer %v", len(r.by), r.by["late"])
	}
}

func TestRemote(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:1234": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[2001:db8:1:2::9]:80": "2001:db8:1:2::/64", "@": "@",
	} {
		if got := remote(&http.Request{RemoteAddr: addr}); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}
