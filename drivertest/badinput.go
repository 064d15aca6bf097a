package drivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stet-dev/stet"
)

// badDraft is a save that is refused.
type badDraft struct {
	what  string
	draft stet.Draft
	code  stet.Code
	says  string // something that the message says
}

func bad(what string, code stet.Code, says string, change func(d *stet.Draft)) badDraft {
	d := stet.Draft{PromptID: "a", Text: "x"}
	change(&d)
	return badDraft{what, d, code, says}
}

// badDrafts returns what the issue lists under "Bad input", and more of its kind.
func badDrafts() []badDraft {
	var all []badDraft
	for _, n := range []string{
		"1.2", "v1.2.3", "01.2.3", "1.02.3", "1.2.03", "1.2.3+b", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3-é", "1.2.9223372036854775808", "9223372036854775808.0.0",
		"1.2.3.4", " 1.2.3", "1.2.3 ", "-1.2.3", "1.2.x", "latest", "1,2,3", "1.2.3-" + strings.Repeat("a", 123), "\x00", "1.2.3\n", "１.2.3",
	} {
		all = append(all, bad(fmt.Sprintf("the number %q", n), stet.CodeInvalid, "", func(d *stet.Draft) { d.Version = n }))
		if n != "latest" {
			all = append(all, bad(fmt.Sprintf("expecting the number %q", n), stet.CodeInvalid, "", func(d *stet.Draft) { d.Expect = &n }))
		}
	}
	for _, id := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "a@b", "a#b", "a~b", "a\x00b", "a\nb", "a\u200bb", "a\u202eb", "\xff", "a\xc3", " a", "a ",
		"e\u0301", strings.Repeat("a", 257), strings.Repeat("漢", 86), "a\u00adb", "\ufeffa", "a\tb", "a\u2028b",
	} {
		all = append(all, bad(fmt.Sprintf("the id %q", id), stet.CodeInvalid, "", func(d *stet.Draft) { d.PromptID = id }))
	}
	for _, l := range []string{"", "1", "1.2.3", "v1", "latest", "current", "x", "x.1", "A", "-a", "a b", "é", "a/b", "a@b", strings.Repeat("a", 64), "_a", "\xff"} {
		all = append(all, bad(fmt.Sprintf("the label %q", l), stet.CodeInvalid, "", func(d *stet.Draft) { d.Labels = []string{"fine", l} }))
	}
	for _, t := range []string{"", " ", " \n\t\u00a0\u3000", "\xff", "a\x00b", "ok \xed\xa0\x80"} {
		all = append(all, bad(fmt.Sprintf("the text %q", t), stet.CodeInvalid, "", func(d *stet.Draft) { d.Text = t }))
	}
	for _, m := range []string{
		`[]`, `{}`, `"x"`, `[{"role":"user"}]`, `[{"content":"x"}]`, `[{"role":"","content":"x"}]`, `[{"role":1,"content":"x"}]`, `[{"role":"user","content":null}]`,
		`[{"role":"user","content":[]}]`, `[{"role":"user","content":[{"text":"x"}]}]`, `[{"role":"user","content":["x"]}]`, `[1]`, `[null]`, `[{}]`, `[{"role":"user","content":"x"}`,
		`[{"type":"placeholder"}]`, `[{"type":"placeholder","name":""}]`, `[{"type":"placeholder","name":"h","role":"user","content":"x"}]`, "[{\"role\":\"user\",\"content\":\"\xff\"}]",
		`[{"role":"user","content":"\u0000"}]`, `[{"role":"user","content":"\ud800"}]`, `[{"role":"user","role":"user","content":"x"}]`, `[{"role":"user","content":"x","n":9007199254740993}]`, `null`,
	} {
		all = append(all, bad("the messages "+m, stet.CodeInvalid, "", func(d *stet.Draft) { d.Text, d.Messages = "", json.RawMessage(m) }))
	}
	for _, c := range []string{`[]`, `1`, `"x"`, `{`, `{"a":1}{`, `{"a":1,"a":2}`, `{"a":9007199254740993}`, `{"a":"\ud800"}`, `{"a":"\u0000"}`, "{\"a\":\"\xff\"}", `{"a":1e999}`, `{a:1}`} {
		all = append(all, bad("the config "+c, stet.CodeInvalid, "", func(d *stet.Draft) { d.Config = json.RawMessage(c) }))
		all = append(all, bad("the metadata "+c, stet.CodeInvalid, "", func(d *stet.Draft) { d.Metadata = json.RawMessage(c) }))
	}
	for _, p := range []string{"", "a", "a@", "a@latest", "a@1.0", "@1.0.0", "a@1.0.0@2.0.0", "a//b@1.0.0", "a@^1"} {
		all = append(all, bad(fmt.Sprintf("the parent %q", p), stet.CodeInvalid, "", func(d *stet.Draft) { d.Parents = []string{p} }))
	}
	for _, b := range []string{"huge", "Major", "majo", " patch", "prerelease", "1"} {
		all = append(all, bad(fmt.Sprintf("the bump %q", b), stet.CodeInvalid, "auto, major, minor or patch", func(d *stet.Draft) { d.Bump = stet.Bump(b) }))
	}
	long := strings.Repeat("x", 100<<10)
	return append(all,
		bad("a long bump", stet.CodeInvalid, "is not a bump", func(d *stet.Draft) { d.Bump = stet.Bump(long) }),
		bad("a long version and a long bump", stet.CodeInvalid, "both", func(d *stet.Draft) { d.Version, d.Bump = long, stet.Bump(long) }),
		bad("a long type", stet.CodeInvalid, "", func(d *stet.Draft) { d.Type = long }),
		bad("a long template", stet.CodeInvalid, "", func(d *stet.Draft) { d.Template = long }),
		bad("a long number", stet.CodeInvalid, "", func(d *stet.Draft) { d.Version = long }),
		bad("a long expectation", stet.CodeInvalid, "", func(d *stet.Draft) { d.Expect = &long }),
		bad("a long parent", stet.CodeInvalid, "", func(d *stet.Draft) { d.Parents = []string{long} }),
		bad("a long label", stet.CodeInvalid, "", func(d *stet.Draft) { d.Labels = []string{"fine", long} }),
		bad("a long id", stet.CodeInvalid, "", func(d *stet.Draft) { d.PromptID = long }),
		bad("both version and bump", stet.CodeInvalid, "both", func(d *stet.Draft) { d.Version, d.Bump = "2.0.0", "major" }),
		bad("both version and bump auto", stet.CodeInvalid, "both", func(d *stet.Draft) { d.Version, d.Bump = "2.0.0", "auto" }),
		bad("both text and messages", stet.CodeInvalid, "oth text and messages", func(d *stet.Draft) { d.Messages = json.RawMessage(`[{"role":"user","content":"x"}]`) }),
		bad("a type that does not agree", stet.CodeInvalid, "chat", func(d *stet.Draft) { d.Type = "chat" }),
		bad("an unknown type", stet.CodeInvalid, "image", func(d *stet.Draft) { d.Type = "image" }),
		bad("an unknown template", stet.CodeInvalid, "jinja", func(d *stet.Draft) { d.Template = "jinja" }),
		bad("a label twice", stet.CodeInvalid, "twice", func(d *stet.Draft) { d.Labels = []string{"b", "a", "b"} }),
		bad("a text over 1 MiB", stet.CodeTooLarge, "1048576", func(d *stet.Draft) { d.Text = strings.Repeat("x", 1<<20+1) }),
		bad("a text that is over 1 MiB as JSON", stet.CodeTooLarge, "1048576", func(d *stet.Draft) { d.Text = strings.Repeat("\n", 1<<19) + "x" + strings.Repeat("\n", 1<<19-2) }),
		bad("messages over 1 MiB", stet.CodeTooLarge, "1048576", func(d *stet.Draft) {
			d.Text, d.Messages = "", json.RawMessage(`[{"role":"user","content":"`+strings.Repeat("x", 1<<20)+`"}]`)
		}),
		bad("too much metadata", stet.CodeTooLarge, "", func(d *stet.Draft) { d.Metadata = json.RawMessage(`{"a":"` + strings.Repeat("x", 256<<10) + `"}`) }),
		bad("too long an author", stet.CodeTooLarge, "", func(d *stet.Draft) { d.Author = strings.Repeat("x", 257) }),
		bad("too long a message", stet.CodeTooLarge, "", func(d *stet.Draft) { d.Message = strings.Repeat("x", 64<<10+1) }),
		bad("an author that is not UTF-8", stet.CodeInvalid, "UTF-8", func(d *stet.Draft) { d.Author = "\xff" }),
		bad("a message with U+0000", stet.CodeInvalid, "U+0000", func(d *stet.Draft) { d.Message = "\x00" }),
		bad("too many labels", stet.CodeTooLarge, "100", func(d *stet.Draft) {
			for i := range 101 {
				d.Labels = append(d.Labels, fmt.Sprint("l", i))
			}
		}),
		bad("too many parents", stet.CodeTooLarge, "100", func(d *stet.Draft) { d.Parents = make([]string, 101) }),
		bad("a created_at that cannot be written", stet.CodeInvalid, "created_at", func(d *stet.Draft) { d.CreatedAt = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC) }),
		bad("a created_at in the year 10000, by its offset", stet.CodeInvalid, "created_at", func(d *stet.Draft) {
			d.CreatedAt = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*3600))
		}),
		bad("a created_at before the year 1, by its offset", stet.CodeInvalid, "created_at", func(d *stet.Draft) {
			d.CreatedAt = time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
		}),
		bad("a created_at before the year 1", stet.CodeInvalid, "created_at", func(d *stet.Draft) { d.CreatedAt = time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC) }),
		bad("a created_at that is none as stored", stet.CodeInvalid, "created_at", func(d *stet.Draft) { d.CreatedAt = time.Time{}.Add(999) }),
		bad("a parent that does not exist", stet.CodeNotFound, "parent a@7.0.0", func(d *stet.Draft) { d.Parents = []string{"a@7.0.0"} }),
		bad("a number that is taken", stet.CodeConflict, "exists", func(d *stet.Draft) { d.Version = "1.0.0" }),
	)
}

// badSelectors name nothing that can be.
var badSelectors = []string{
	"v1.2.3", "01.2.3", "1.2.3+b", "1.2.3.4", "#0", "#", "#-1", "#01", "#9223372036854775808", "sha256:", "sha256:1234567", "sha256:xyzxyzxyz", "SHA256:12345678", "Latest", " latest",
	"^", "^1.2.3.4", ">=1 <", "^v1", "a b", "production ", "1.2.3-", "!1", "\x00", "é", "<>", "a@b", strings.Repeat("a", 64), "^1 || " + strings.Repeat("1.0.0 || ", 40), "1.9223372036854775808.0", "\xff",
	"sha256:" + strings.Repeat("0", 65),
}

var badInputCases = []Case{
	storeCase("bad-input/drafts", "A draft that is not valid is refused with its code, and the store is unchanged.", func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: "first", Labels: []string{"production"}})
		r.unchanged("bad drafts", func() {
			for _, b := range badDrafts() {
				_, err := r.trySave(b.draft)
				r.refusedOp("saving with "+b.what, err, -1, b.code, b.says)
				r.ok(err == nil || len(err.Error()) < 1000, "saving with %s is refused with %d bytes", b.what, len(fmt.Sprint(err)))
				_, err = r.tryCommit(stet.Commit{Ops: []stet.Op{op(text("fine", "x")), op(b.draft)}})
				r.refusedOp("committing with "+b.what, err, 1, b.code, b.says)
			}
		})
	}),

	storeCase("save/created-at", "The created_at of a draft is kept, in UTC microseconds, however far it is; one that is not given is the commit's time.", func(r *rig) {
		for _, at := range []time.Time{
			time.Time{}.Add(time.Microsecond), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(1969, 7, 20, 20, 17, 40, 123_456_000, time.UTC), time.Unix(0, 0),
			time.Date(2026, 1, 1, 0, 30, 0, 999_999_999, time.FixedZone("", 14*3600)), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		} {
			d := text("a", "x")
			d.CreatedAt = at
			r.save(d)
			r.same("created_at", r.get("a@latest").CreatedAt(), at.UTC().Truncate(time.Microsecond))
		}
		r.save(text("b", "x"))
		r.ok(r.get("b").CreatedAt().After(dawn), "a created_at that was not given is %v", r.get("b").CreatedAt())
	}),

	storeCase("bad-input/selectors", "A malformed selector is invalid, in every read and as the target of a label.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.unchanged("bad selectors", func() {
			for _, sel := range badSelectors {
				_, err := r.tryGet("a@" + sel)
				r.refused(fmt.Sprintf("Get of a@%q", sel), err, stet.CodeInvalid)
				_, err = r.tryGet("none@" + sel)
				r.refused(fmt.Sprintf("Get of none@%q", sel), err, stet.CodeInvalid)
				_, _, err = r.s().GetMany(r.ctx, []string{"a@" + sel}, stet.ReadOptions{})
				r.refused(fmt.Sprintf("GetMany of a@%q", sel), err, stet.CodeInvalid)
				_, err = r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production", Version: sel})
				r.refused(fmt.Sprintf("a label on %q", sel), err, stet.CodeInvalid)
			}
			_, err := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "production"})
			r.refused("a label on nothing", err, stet.CodeInvalid, "production")
			_, err = r.tryGet("a@^7")
			r.refused("a range that matches nothing", err, stet.CodeNotFound, "^7")
		})
	}),

	storeCase("bad-input/ids-and-labels", "A malformed id or label is invalid in every operation.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.unchanged("bad ids and labels", func() {
			for _, b := range badDrafts() {
				id, label := "a", "production"
				if b.code != stet.CodeInvalid {
					continue
				}
				switch {
				case b.draft.PromptID != "a":
					id = b.draft.PromptID
				case len(b.draft.Labels) == 2:
					label = b.draft.Labels[1]
				default:
					continue
				}
				check := func(what string, err error) { r.refused(what+" with "+b.what, err, stet.CodeInvalid) }
				_, err := r.trySetLabel(stet.SetLabel{PromptID: id, Label: label, Version: "1.0.0"})
				check("SetLabel", err)
				_, err = r.tryRemoveLabel(stet.RemoveLabel{PromptID: id, Label: label})
				check("RemoveLabel", err)
				if label != "" { // which is production
					_, err = r.tryRollback(stet.Rollback{PromptID: id, Label: label})
					check("Rollback", err)
					_, err = r.s().HistoryPage(r.ctx, id, label, stet.HistoryOptions{})
					check("HistoryPage", err)
				}
				if id != "a" {
					_, err = r.tryDelete(stet.Delete{PromptID: id})
					check("Delete", err)
					_, err = r.s().Head(r.ctx, id)
					check("Head", err)
					_, err = r.s().ListPage(r.ctx, id, stet.ListOptions{})
					check("ListPage", err)
					if !strings.Contains(id, "@") { // which would begin a selector
						_, err = r.tryGet(id)
						check("Get", err)
						_, _, err = r.s().GetMany(r.ctx, []string{id}, stet.ReadOptions{})
						check("GetMany", err)
					}
				} else if label != "" {
					_, err = r.s().PromptsPage(r.ctx, stet.PromptsOptions{Label: label})
					check("PromptsPage", err)
				}
			}
			for _, p := range []string{"/", "a//", "@", "\xff", "a\x00", "../a", strings.Repeat("a", 257)} {
				_, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{Prefix: p})
				r.refused(fmt.Sprintf("PromptsPage with the prefix %q", p), err, stet.CodeInvalid)
			}
		})
	}),

	storeCase("bad-input/commits", "A commit that is not valid is refused with its code, and the store is unchanged.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		x := []stet.Op{op(text("b", "x"))}
		r.unchanged("bad commits", func() {
			for what, c := range map[string]stet.Commit{
				"no operations":                  {},
				"an id with a space":             {ID: "a b", Ops: x},
				"an id that is not ASCII":        {ID: "é", Ops: x},
				"an id with a control byte":      {ID: "a\n", Ops: x},
				"too long an id":                 {ID: strings.Repeat("a", 129), Ops: x},
				"an author that is not UTF-8":    {ID: "z1", Author: "\xff", Ops: x},
				"a message with U+0000":          {ID: "z2", Message: "a\x00", Ops: x},
				"an empty operation":             {ID: "z3", Ops: []stet.Op{{}}},
				"two operations in one":          {ID: "z4", Ops: []stet.Op{{Save: x[0].Save, Clear: &stet.Clear{}}}},
				"a delete of a bad number":       {ID: "z5", Ops: []stet.Op{op(stet.Delete{PromptID: "a", Version: "1.0"})}},
				"a delete of a selector":         {ID: "z6", Ops: []stet.Op{op(stet.Delete{PromptID: "a", Version: "latest"})}},
				"expecting a bad number":         {ID: "z7", Ops: []stet.Op{op(stet.SetLabel{PromptID: "a", Label: "l", Version: "1.0.0", Expect: ptr("1")})}},
				"expecting a selector":           {ID: "z8", Ops: []stet.Op{op(stet.Rollback{PromptID: "a", Expect: ptr("latest")})}},
				"removing expecting a bad one":   {ID: "z9", Ops: []stet.Op{op(stet.RemoveLabel{PromptID: "a", Label: "l", Expect: ptr("v1.0.0")})}},
				"a bad one behind a refused one": {ID: "z10", Ops: []stet.Op{op(numbered("a", "1.0.0")), {}}},
			} {
				err := r.resolve(func() error { _, err := r.s().Commit(r.ctx, c); return err }) // some have no id
				r.refused("a commit with "+what, err, stet.CodeInvalid)
			}
			_, err := r.tryCommit(stet.Commit{ID: "z11", Author: strings.Repeat("a", 257), Ops: x})
			r.refused("too long an author", err, stet.CodeTooLarge, "256")
			_, err = r.tryCommit(stet.Commit{ID: "z12", Message: strings.Repeat("a", 64<<10+1), Ops: x})
			r.refused("too long a message", err, stet.CodeTooLarge, "65536")
		})
	}),
	storeCase("bad-input/reads", "What cannot be read at is refused with its code by every read, at once; a revision that does not come is waited for until the context ends.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		both := stet.Point{Revision: 1, Time: dawn}
		over, cancel := context.WithCancel(r.ctx)
		cancel()
		for _, bad := range []struct {
			what string
			o    stet.ReadOptions
			code stet.Code
			says string
		}{
			{"both a revision and a time", stet.ReadOptions{At: both}, stet.CodeInvalid, "both"},
			{"both, and a revision that does not come", stet.ReadOptions{At: both, MinRevision: 99}, stet.CodeInvalid, "both"},
			{"a revision that is not there", stet.ReadOptions{At: stet.Point{Revision: 3}}, stet.CodeNotFound, "no revision 3"},
			{"the largest revision", stet.ReadOptions{At: stet.Point{Revision: math.MaxUint64}}, stet.CodeNotFound, "no revision"},
			{"a time before the first commit", stet.ReadOptions{At: stet.Point{Time: time.Time{}.Add(1)}}, stet.CodeNotFound, "nothing at"},
			{"a time before the year 1", stet.ReadOptions{At: stet.Point{Time: time.Time{}.Add(-1)}}, stet.CodeNotFound, "nothing at"},
		} {
			ctx := r.ctx
			if bad.o.MinRevision != 0 { // which nobody is to wait for
				ctx = over
			}
			_, err := r.s().Get(ctx, "a", bad.o)
			r.refusedOp("Get with "+bad.what, err, stet.NoOp, bad.code, bad.says)
			_, err = r.s().Head(ctx, "a", bad.o)
			r.refusedOp("Head with "+bad.what, err, stet.NoOp, bad.code, bad.says)
			_, _, err = r.s().GetMany(ctx, []string{"a"}, bad.o)
			r.refused("GetMany with "+bad.what, err, bad.code, bad.says)
			_, err = r.s().ListPage(ctx, "a", stet.ListOptions{ReadOptions: bad.o})
			r.refused("ListPage with "+bad.what, err, bad.code, bad.says)
			_, err = r.s().PromptsPage(ctx, stet.PromptsOptions{ReadOptions: bad.o})
			r.refused("PromptsPage with "+bad.what, err, bad.code, bad.says)
		}
		for _, revision := range []uint64{3, math.MaxInt64, math.MaxUint64} {
			_, err := r.s().Get(over, "a", stet.ReadOptions{MinRevision: revision})
			r.refused(fmt.Sprint("Get of revision ", revision), err, stet.CodeUnavailable)
			_, err = r.s().Head(over, "a", stet.ReadOptions{MinRevision: revision})
			r.refused(fmt.Sprint("Head of revision ", revision), err, stet.CodeUnavailable)
		}
		long := strings.Repeat("x", 5000)
		_, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{Cursor: long})
		r.refused("a long cursor", err, stet.CodeInvalid, "cursor")
		r.ok(err == nil || len(err.Error()) < 1000, "a long cursor is refused with %d bytes", len(fmt.Sprint(err)))
		far := stet.ReadOptions{At: stet.Point{Time: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}}
		v, err := r.s().Get(r.ctx, "a", far)
		r.must(err, "Get at a time to come")
		r.same("the number then", v.Number(), "2.0.0")
	}),

	storeCase("bad-input/changes", "Changes that cannot be asked for are refused with their code, in pages and as a stream.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		check := func(what string, since uint64, o stet.ChangesOptions, code stet.Code) {
			_, err := r.s().ChangesPage(r.ctx, since, o)
			r.refused("a page of changes with "+what, err, code)
			for ch, err := range r.s().Changes(r.ctx, since, o) {
				r.refused("changes with "+what, err, code)
				r.same("what comes with the refusal", ch.Revision, 0)
				break
			}
		}
		for _, p := range []string{"/", "a//", "@", "\xff", "a\x00", "../a", "a#", strings.Repeat("a", 257)} {
			check(fmt.Sprintf("the prefix %q", p), 0, stet.ChangesOptions{Prefix: p}, stet.CodeInvalid)
		}
		check("a limit below zero", 0, stet.ChangesOptions{Limit: -1}, stet.CodeInvalid)
		check("a limit over the most", 0, stet.ChangesOptions{Limit: stet.MaxLimit + 1}, stet.CodeInvalid)
		for _, since := range []uint64{2, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
			check(fmt.Sprint("the revision ", since), since, stet.ChangesOptions{}, stet.CodeNotFound)
			check(fmt.Sprint("a prefix and the revision ", since), since, stet.ChangesOptions{Prefix: "b"}, stet.CodeNotFound)
		}
	}),

	storeCase("bad-input/epochs", "A commit for an epoch that has not come is a conflict that says which epoch it is now, and is carried out if it expects nothing.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		for _, epoch := range []uint64{2, math.MaxInt64, math.MaxUint64} {
			r.unchanged("a commit for an epoch to come", func() {
				for _, expect := range []string{"", "1.0.0"} {
					_, err := r.tryCommit(stet.Commit{Epoch: epoch, Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: "next", Expect: &expect})}})
					r.refusedOp("a number of an epoch to come", err, 0, stet.CodeConflict, fmt.Sprint("epoch ", epoch), "epoch 1")
					r.ok(err == nil || !strings.Contains(err.Error(), "cleared since") && !strings.Contains(err.Error(), ", ,"), "it is refused with %v", err)
				}
			})
		}
		_, err := r.tryCommit(stet.Commit{Epoch: 7, Ops: []stet.Op{op(text("b", "x"))}})
		r.must(err, "a commit for an epoch to come that expects nothing")
		r.clear()
		_, err = r.tryCommit(stet.Commit{Epoch: 1, Ops: []stet.Op{op(stet.Draft{PromptID: "a", Text: "next", Expect: new("")})}})
		r.refusedOp("no number, in the epoch before", err, 0, stet.CodeConflict, "epoch 1", "cleared since, at revision 3")
		r.ok(err == nil || !strings.Contains(err.Error(), ", ,"), "it is refused with %v", err)
	}),
}
