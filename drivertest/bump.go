package drivertest

import (
	"encoding/json"
	"fmt"

	"github.com/stet-dev/stet"
)

// bumped is a row of the table of bumps: what there is, and what follows.
type bumped struct {
	have []string // numbers, in order of saving
	gone []string // of those, deleted then
	bump stet.Bump
	want string
}

var bumpTable = []bumped{
	{nil, nil, "major", "1.0.0"},
	{nil, nil, "minor", "1.0.0"},
	{nil, nil, "patch", "1.0.0"},
	{nil, nil, "auto", "1.0.0"},
	{[]string{"1.2.3"}, nil, "major", "2.0.0"},
	{[]string{"1.2.3"}, nil, "minor", "1.3.0"},
	{[]string{"1.2.3"}, nil, "patch", "1.2.4"},
	{[]string{"0.1.0"}, nil, "minor", "0.2.0"},
	{[]string{"0.1.0"}, nil, "major", "1.0.0"},
	{[]string{"0.0.0"}, nil, "patch", "0.0.1"},
	// A pre-release of exactly the next one becomes it, as npm version does.
	{[]string{"1.0.0-rc.1"}, nil, "major", "1.0.0"},
	{[]string{"1.0.0-rc.1"}, nil, "minor", "1.0.0"},
	{[]string{"1.0.0-rc.1"}, nil, "patch", "1.0.0"},
	{[]string{"1.2.0-rc.1"}, nil, "major", "2.0.0"},
	{[]string{"1.2.0-rc.1"}, nil, "minor", "1.2.0"},
	{[]string{"1.2.0-rc.1"}, nil, "patch", "1.2.0"},
	{[]string{"1.2.3-rc.1"}, nil, "minor", "1.3.0"},
	{[]string{"1.2.3-rc.1"}, nil, "patch", "1.2.3"},
	// The base is latest: the highest release, though a pre-release is above it.
	{[]string{"1.0.0", "2.0.0-rc.1"}, nil, "major", "2.0.0"},
	{[]string{"1.0.0", "2.0.0-rc.1"}, nil, "patch", "1.0.1"},
	// Not the newest, not the number of versions.
	{[]string{"5.0.0", "1.0.0"}, nil, "minor", "5.1.0"},
	// Again while the number was ever used.
	{[]string{"1.1.0", "1.0.0"}, []string{"1.1.0"}, "minor", "1.2.0"},
	{[]string{"1.0.0", "1.0.1", "1.0.2"}, []string{"1.0.1", "1.0.2"}, "patch", "1.0.3"},
	{[]string{"1.0.0", "2.0.0", "3.0.0"}, []string{"2.0.0", "3.0.0"}, "major", "4.0.0"},
	{[]string{"1.0.0", "1.0.2"}, []string{"1.0.2"}, "patch", "1.0.1"},
	{[]string{"1.0.0", "2.0.0-rc.1", "2.0.0"}, []string{"2.0.0"}, "major", "3.0.0"},
	// If none lives, the highest ever used.
	{[]string{"1.0.0", "1.4.0"}, []string{"1.0.0", "1.4.0"}, "minor", "1.5.0"},
	{[]string{"1.0.0", "2.0.0-rc.1"}, []string{"1.0.0", "2.0.0-rc.1"}, "major", "2.0.0"},
	{[]string{"3.0.0"}, []string{"3.0.0"}, "patch", "3.0.1"},
	// A gap is not filled.
	{[]string{"1.0.0", "1.5.0"}, nil, "minor", "1.6.0"},
}

var bumpCases = []Case{
	storeCase("bump/table", "A bump's base is latest, or the highest number ever used if none lives; then as npm version does, again while the number was ever used.", func(r *rig) {
		for i, b := range bumpTable {
			id := fmt.Sprint("p", i)
			r.saveAll(id, b.have...)
			for _, n := range b.gone {
				r.delete(id, n)
			}
			s, err := r.trySave(stet.Draft{PromptID: id, Text: "next", Bump: b.bump})
			what := fmt.Sprintf("%s after %v without %v", b.bump, b.have, b.gone)
			if err != nil {
				r.fail("%s: %v", what, err)
				continue
			}
			r.same(what, s.Number(), b.want)
			if want := b.bump; len(b.have) > 0 && want != "auto" {
				r.same("the bump in the answer for "+what, s.Bump, want)
			}
		}
	}),

	storeCase("bump/exhausted", "A part that cannot be raised is a conflict.", func(r *rig) {
		r.saveAll("a", "1.0.9223372036854775807")
		_, err := r.trySave(stet.Draft{PromptID: "a", Text: "x", Bump: "patch"})
		r.refused("raising the largest number", err, stet.CodeConflict, "9223372036854775807")
		r.same("minor", r.save(stet.Draft{PromptID: "a", Text: "x", Bump: "minor"}).Number(), "1.1.0")
	}),

	storeCase("bump/auto", "auto: the set of variables gained a name, or lost and gained one, or the type changed: major; text, messages or config changed: minor; white space or metadata only: patch. It says why.", func(r *rig) {
		chat := json.RawMessage(`[{"role":"user","content":"Hi {{name}} {{tone}}"}]`)
		steps := []struct {
			what  string
			draft stet.Draft
			want  string
			bump  stet.Bump
			says  string
		}{
			{"the first", stet.Draft{Text: "Hello {{name}}."}, "1.0.0", "", ""},
			{"other words", stet.Draft{Text: "Hi {{name}}."}, "1.1.0", "minor", "text changed"},
			{"white space", stet.Draft{Text: "Hi  {{ name }}. \n"}, "1.1.1", "patch", "white space"},
			{"metadata only", stet.Draft{Text: "Hi  {{ name }}. \n", Metadata: json.RawMessage(`{"x":1}`)}, "1.1.2", "patch", "same"},
			{"a new variable", stet.Draft{Text: "Hi {{name}} {{tone}}."}, "2.0.0", "major", "{{tone}}"},
			{"a variable less", stet.Draft{Text: "Hi {{name}}."}, "2.1.0", "minor", "{{tone}}"},
			{"another variable", stet.Draft{Text: "Hi {{who}}."}, "3.0.0", "major", "{{who}}"},
			{"config", stet.Draft{Text: "Hi {{who}}.", Config: json.RawMessage(`{"m":1}`)}, "3.1.0", "minor", "config"},
			{"the type", stet.Draft{Messages: chat, Config: json.RawMessage(`{"m":1}`)}, "4.0.0", "major", "type"},
			{"messages", stet.Draft{Messages: json.RawMessage(`[{"role":"user","content":"Oh {{name}} {{tone}}"}]`), Config: json.RawMessage(`{"m":1}`)}, "4.1.0", "minor", "messages"},
			{"a role", stet.Draft{Messages: json.RawMessage(`[{"role":"system","content":"Oh {{name}} {{tone}}"}]`), Config: json.RawMessage(`{"m":1}`)}, "4.2.0", "minor", "messages"},
		}
		for _, st := range steps {
			st.draft.PromptID = "a"
			done, err := r.tryCommit(stet.Commit{Ops: []stet.Op{op(st.draft)}})
			r.must(err, "%s", st.what)
			res := done.Results[0]
			r.same("the number after "+st.what, res.Version, st.want)
			r.same("the bump after "+st.what, res.Bump, st.bump)
			r.ok((res.Reason != "") == (st.says != ""), "the reason after %s is %q", st.what, res.Reason)
			r.ok(contains(res.Reason, st.says), "the reason after %s is %q, and should say %q", st.what, res.Reason, st.says)
		}
	}),

	storeCase("bump/auto-is-the-default", "Without a version and a bump, the bump is auto.", func(r *rig) {
		r.save(text("a", "x"))
		s := r.save(text("a", "x {{v}}"))
		r.same("the number", s.Number(), "2.0.0")
		r.same("the bump", s.Bump, "major")
	}),

	storeCase("bump/auto-compares-latest", "auto compares with latest, which need not be the newest.", func(r *rig) {
		r.save(text2("a", "2.0.0", "Hi {{name}}"))
		r.save(text2("a", "1.0.0", "Hi {{other}}"))
		r.same("the number", r.save(text("a", "Hi {{name}}!")).Number(), "2.1.0")
	}),

	storeCase("bump/auto-nothing-left", "auto where no version lives is minor above the highest that was used.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.delete("a", "")
		s := r.save(text("a", "x"))
		r.same("the number", s.Number(), "1.1.0")
		r.same("the bump", s.Bump, "minor")
	}),

	storeCase("bump/in-a-commit", "Each bump of a commit sees the numbers before it.", func(r *rig) {
		done := r.commit(
			op(stet.Draft{PromptID: "a", Text: "1", Bump: "minor"}),
			op(stet.Draft{PromptID: "a", Text: "2", Bump: "minor"}),
			op(stet.Draft{PromptID: "a", Text: "3", Bump: "patch"}),
			op(stet.Delete{PromptID: "a", Version: "1.1.1"}),
			op(stet.Draft{PromptID: "a", Text: "4", Bump: "patch"}))
		for i, want := range []string{"1.0.0", "1.1.0", "1.1.1", "1.1.1", "1.1.2"} {
			r.same(fmt.Sprint("the number of operation ", i), done.Results[i].Version, want)
		}
	}),
}
