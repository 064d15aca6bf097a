package drivertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stet-dev/stet"
)

// A generator makes random calls over a small world, small enough for calls to
// meet. What is drawn is up to pick, so that a test can print the seed, and rapid
// can shrink.
type generator struct {
	pick    func(n int) int // a number from 0 to n-1
	prompts []string
	author  string
	ids     func() string // makes commit ids

	// single leaves out what concerns more than one prompt.
	single bool
	// sure sends nothing again but what succeeded: of several stores on one log,
	// each remembers only what it has refused itself.
	sure bool
	// bad is how many of 100 calls have something malformed.
	bad int
	// past reads are of revisions up to this; 0 for none.
	past uint64
	// feed says that changes are read too, and that the past is read at a time.
	feed bool
	// seen are numbers that came back, sent are commits with an id, and times are
	// those of commits that came back.
	seen  []string
	sent  []Call
	times []time.Time
}

var (
	worldPrompts = []string{"a", "a/b", "support/triage", "b", "ab", "ключ", "z/z", "z"}
	worldLabels  = []string{"production", "staging", "canary"}
	worldNumbers = []string{"1.0.0", "1.1.0", "1.1.1", "2.0.0", "2.0.0-rc.1", "2.0.0-rc.2", "0.9.0", "3.0.0", "10.0.0"}
	worldTexts   = []string{
		"Summarize {{text}}.", "Summarize  {{ text }}. ", "Shorten {{text}}.", "Shorten {{text}} in a {{tone}} tone.",
		"Say nothing.", "Say  nothing.", "{{ not a variable }", "Ünïcode ✓ {{text}}", "Summarize {{text}}.\n",
	}
	worldRanges = []string{"^1", "~1.1", "1.x", ">=1 <2", "*", "^2.0.0-rc.1", ">1 || <1", "1.0.0 - 2"}
	badIDs      = []string{"", "/", "a//b", "a@b", "a#1", "..", "a/../b", "a\x00b", "a\xffb", "e\u0301"}
	badNumbers  = []string{"1.2", "v1.2.3", "01.2.3", "1.2.3+b", "1.2.9223372036854775808", "x", "1.2.3-", "latest"}
	badLabels   = []string{"latest", "current", "x", "1", "v1.2", "Prod", "-a", "1.2.3"}
)

func oneOf[T any](g *generator, of []T) T { return of[g.pick(len(of))] }

// chance is true n times of 100.
func (g *generator) chance(n int) bool { return g.pick(100) >= 100-n }

func (g *generator) id() string { return oneOf(g, g.prompts) }

func (g *generator) number() string {
	if len(g.seen) > 0 && g.chance(70) {
		return oneOf(g, g.seen)
	}
	return oneOf(g, worldNumbers)
}

// note learns from an answer.
func (g *generator) note(c *Call, a *Answer) {
	for _, l := range a.Lines {
		var n string
		if i := indexByte(l, '@'); i >= 0 && (c.Commit != nil || c.Kind == "get") {
			if _, err := fmt.Sscan(l[i+1:], &n); err == nil && !slices.Contains(g.seen, n) {
				if _, err := stet.ParseNumber(n); err == nil {
					g.seen = append(g.seen, n)
				}
			}
		}
	}
	if len(g.seen) > 12 {
		g.seen = g.seen[len(g.seen)-12:]
	}
	for _, s := range a.Stamps {
		if !slices.ContainsFunc(g.times, s.Time.Equal) {
			g.times = append(g.times, s.Time)
		}
	}
	g.times = g.times[max(0, len(g.times)-12):]
	if c.Commit != nil && c.Commit.ID != "" && c.Kind == "commit" && (!g.sure || a.Code == "") {
		if g.sent = append(g.sent, *c); len(g.sent) > 20 {
			g.sent = g.sent[1:]
		}
	}
}

func indexByte(s string, b byte) int {
	for i := range len(s) {
		if s[i] == b {
			return i
		}
	}
	return -1
}

func (g *generator) selector() string {
	switch g.pick(8) {
	case 0:
		return ""
	case 1:
		return "@latest"
	case 2:
		return "@current"
	case 3:
		return "@" + oneOf(g, worldLabels)
	case 4:
		return "@" + oneOf(g, worldRanges)
	case 5:
		return fmt.Sprintf("@#%d", 1+g.pick(6))
	case 6:
		c, _ := (&stet.Draft{Text: oneOf(g, worldTexts)}).Content()
		d := fmt.Sprintf("%x", c.Digest())
		return "@sha256:" + d[:8+g.pick(57)]
	}
	return "@" + g.number()
}

func (g *generator) expect(n int) *string {
	if !g.chance(n) {
		return nil
	}
	e := ""
	if g.chance(75) {
		e = g.number()
	}
	return &e
}

func (g *generator) draft() *stet.Draft {
	d := &stet.Draft{PromptID: g.id(), Text: oneOf(g, worldTexts), Author: g.author}
	switch g.pick(10) {
	case 0:
		d.Text, d.Messages = "", json.RawMessage(`[{"role":"system","content":"Be brief about {{text}}."},{"type":"placeholder","name":"history"}]`)
	case 1:
		d.Config = json.RawMessage(`{"temperature": 0.5}`)
	case 2:
		d.Metadata = json.RawMessage(`{"team":"core", "a":1}`)
	case 3:
		d.Message = "because"
	}
	switch g.pick(6) {
	case 0, 1:
		d.Version = g.number()
	case 2:
		d.Bump = oneOf(g, []stet.Bump{"auto", "major", "minor", "patch"})
	}
	d.Expect = g.expect(15)
	d.IfChanged = g.chance(20)
	for _, l := range worldLabels {
		if g.chance(8) {
			d.Labels = append(d.Labels, l)
		}
	}
	if g.chance(8) && !g.single {
		d.Parents = append(d.Parents, g.id()+"@"+g.number())
	}
	return d
}

// op makes an operation. Clear is rare: it makes the rest boring.
func (g *generator) op() stet.Op {
	switch k := g.pick(100); {
	case k < 50:
		return stet.Op{Save: g.draft()}
	case k < 68:
		to := oneOf(g, []string{g.number(), "latest", "current", "staging", "^1", "#1"})
		return stet.Op{SetLabel: &stet.SetLabel{PromptID: g.id(), Label: oneOf(g, worldLabels), Version: to, Expect: g.expect(30)}}
	case k < 78:
		return stet.Op{Rollback: &stet.Rollback{PromptID: g.id(), Label: oneOf(g, append([]string{""}, worldLabels...)), Expect: g.expect(15)}}
	case k < 84:
		return stet.Op{RemoveLabel: &stet.RemoveLabel{PromptID: g.id(), Label: oneOf(g, worldLabels), Expect: g.expect(20)}}
	case k < 94:
		return stet.Op{Delete: &stet.Delete{PromptID: g.id(), Version: g.number(), Force: g.chance(30)}}
	case k < 98 || g.single:
		return stet.Op{Delete: &stet.Delete{PromptID: g.id(), Force: g.chance(50)}}
	}
	return stet.Op{Clear: &stet.Clear{}}
}

// spoil makes something malformed of an operation.
func (g *generator) spoil(op *stet.Op) {
	id := oneOf(g, badIDs)
	switch {
	case op.Save != nil:
		switch d := op.Save; g.pick(8) {
		case 0:
			d.PromptID = id
		case 1:
			d.Version, d.Bump = oneOf(g, badNumbers), ""
		case 2:
			d.Version, d.Bump = "7.0.0", "minor"
		case 3:
			d.Version, d.Bump = "", "huge"
		case 4:
			d.Text, d.Messages = oneOf(g, []string{"", " \n", "a\x00", "a\xff"}), nil
		case 5:
			d.Text, d.Messages = "", json.RawMessage(oneOf(g, []string{`[]`, `[{"content":"a"}]`, `[{"role":"user"}]`, `{}`, `[1]`})) // all JSON, as a history is
		case 6:
			d.Labels = []string{"staging", oneOf(g, append(badLabels, "staging"))}
		default:
			d.Parents = []string{oneOf(g, []string{"a", "a@", "a@latest", "@1.0.0", "a@1"})}
		}
	case op.SetLabel != nil:
		switch l := op.SetLabel; g.pick(3) {
		case 0:
			l.PromptID = id
		case 1:
			l.Label = oneOf(g, badLabels)
		default:
			l.Version = oneOf(g, []string{"", "#0", "sha256:12", ">>1", "Prod"})
		}
	case op.Rollback != nil:
		op.Rollback.PromptID = id
	case op.RemoveLabel != nil:
		op.RemoveLabel.Label = oneOf(g, badLabels)
	case op.Delete != nil:
		op.Delete.Version = oneOf(g, badNumbers)
	default:
		op.Clear = nil // an operation of no kind
	}
}

// write makes a call that commits.
func (g *generator) write() *Call {
	if len(g.sent) > 0 && g.chance(8) { // a duplicate, or the same id for something else
		c := oneOf(g, g.sent)
		if g.chance(30) {
			other := *c.Commit
			other.Message += "!"
			c.Commit = &other
		}
		return &c
	}
	n := 1
	if !g.chance(70) {
		n += g.pick(4)
	}
	c := &Call{Kind: "commit", Commit: &stet.Commit{Author: g.author}}
	for range n {
		c.Commit.Ops = append(c.Commit.Ops, g.op())
	}
	op := &c.Commit.Ops[0]
	if g.chance(g.bad) {
		g.spoil(&c.Commit.Ops[g.pick(n)])
	} else if n == 1 && g.chance(50) {
		c.Kind = op.Kind()
		if op.Save != nil {
			c.Commit.Author, c.Commit.Message = op.Save.Author, op.Save.Message
			return c
		}
	}
	if g.chance(60) {
		c.Commit.ID = g.ids()
	}
	if g.chance(20) {
		c.Commit.Message = "why not"
	}
	return c
}

// time makes a time to read at: about that of a commit, or far from all.
func (g *generator) time() time.Time {
	if len(g.times) == 0 || g.chance(10) {
		return dawn.AddDate(oneOf(g, []int{-50, 50}), 0, 0)
	}
	return oneOf(g, g.times).Add(oneOf(g, []time.Duration{0, 0, -time.Nanosecond, time.Nanosecond, time.Second / 2}))
}

// values makes what a version is rendered with: mostly enough.
func (g *generator) values() *stet.Values {
	v := &stet.Values{Variables: map[string]string{"other": "{{text}}"}}
	texts := []string{"", "it", `<b>"{{tone}}"</b>\`, "✓\n"}
	if g.chance(85) {
		v.Variables["text"] = oneOf(g, texts)
	}
	if g.chance(70) {
		v.Variables["tone"] = oneOf(g, texts)
	}
	if g.chance(80) {
		list := oneOf(g, []string{`[]`, `[{"role":"user", "content":"{{text}}"},{"role":"assistant","content":"é\n"}]`})
		v.Placeholders = map[string]json.RawMessage{"history": json.RawMessage(list)}
	}
	return v
}

// readLog makes a call that reads changes, mostly the newest, and now and then from
// a revision on that may not be there.
func (g *generator) readLog() *Call {
	from := 0
	if g.chance(60) {
		from = max(0, int(g.past)-3)
	}
	c := &Call{Kind: "changes", Since: uint64(from + g.pick(int(g.past)+2-from)), Limit: g.pick(4)}
	if g.chance(g.bad) {
		c.Limit = oneOf(g, []int{-1, 1001})
	}
	return c
}

// read makes a call that reads.
func (g *generator) read() *Call {
	if g.feed && g.chance(12) {
		return g.readLog()
	}
	c := &Call{Kind: "get", Ref: g.id() + g.selector()}
	k := g.pick(100)
	if g.single && k >= 40 && k < 55 {
		k = 0
	}
	switch {
	case k < 30:
	case k < 40:
		c.Kind, c.Values = "render", g.values()
	case k < 55:
		c = &Call{Kind: "many"}
		for range 1 + g.pick(4) {
			c.Refs = append(c.Refs, g.id()+g.selector())
		}
	case k < 68:
		c = &Call{Kind: "head", Ref: g.id()}
	case k < 80:
		c = &Call{Kind: "list", Ref: g.id(), Ascending: g.chance(40), Limit: g.pick(4)}
	case k < 90:
		c = &Call{Kind: "prompts", Limit: g.pick(4)}
		if g.single {
			c = &Call{Kind: "history", Ref: g.id()}
		}
	default:
		c = &Call{Kind: "history", Ref: g.id(), Label: oneOf(g, append([]string{""}, worldLabels...)), Limit: g.pick(4)}
	}
	if c.Kind == "prompts" {
		if g.chance(40) {
			c.Prefix = oneOf(g, []string{"a", "a/", "z", "support/tri", "q"})
		}
		if g.chance(40) {
			c.Label = oneOf(g, worldLabels)
		}
	}
	if g.past > 0 && g.chance(25) {
		if g.feed && g.chance(50) {
			c.Time = g.time()
		} else {
			c.At = 1 + uint64(g.pick(int(g.past)+1))
		}
	}
	if g.chance(g.bad) {
		switch c.Kind {
		case "get":
			c.Ref = oneOf(g, []string{"", "a@", "@latest", "a@>>", "a@Prod", "a@#0", "a@sha256:12", "a@01.2.3", "a//b@latest"})
		case "render":
			c.Values.Variables["text"] = "a\x00"
		case "many":
			c.Refs[g.pick(len(c.Refs))] = oneOf(g, badIDs)
		case "prompts":
			c.Label = oneOf(g, badLabels)
		case "history", "list":
			c.Limit = oneOf(g, []int{-1, 1001})
		default:
			c.Ref = oneOf(g, badIDs)
		}
	}
	return c
}
