package drivertest

import (
	"fmt"
	"strings"

	"github.com/stet-dev/stet"
)

var getCases = []Case{
	storeCase("get/selectors", "A selector is a number, latest, current, a label, a range, an ordinal or a digest.", func(r *rig) {
		r.saveAll("a/b", "1.0.0", "1.2.0", "1.10.0", "2.0.0", "3.0.0-rc.1")
		r.label("a/b", "staging", "1.2.0")
		digest := r.get("a/b@1.10.0").Digest().String()
		for sel, want := range map[string]string{
			"": "2.0.0", "@": "2.0.0", "@current": "2.0.0", "@latest": "2.0.0", "@1.2.0": "1.2.0", "@3.0.0-rc.1": "3.0.0-rc.1",
			"@staging": "1.2.0", "@^1": "1.10.0", "@#1": "1.0.0", "@#5": "3.0.0-rc.1", "@" + digest: "1.10.0", "@" + digest[:15]: "1.10.0",
		} {
			v, err := r.tryGet("a/b" + sel)
			r.must(err, "getting a/b%s", sel)
			r.same("a/b"+sel, v.Number(), want)
			r.same("the text of a/b"+sel, v.Text(), "text of "+want)
			r.same("the prompt of a/b"+sel, v.PromptID(), "a/b")
		}
	}),

	storeCase("get/current", "current is production if the prompt has that label, else latest.", func(r *rig) {
		r.saveAll("a", "1.0.0", "2.0.0")
		r.same("current without a label", r.get("a").Number(), "2.0.0")
		r.label("a", "staging", "1.0.0")
		r.same("current with another label", r.get("a").Number(), "2.0.0")
		r.label("a", "production", "1.0.0")
		r.same("current", r.get("a").Number(), "1.0.0")
		r.same("latest", r.get("a@latest").Number(), "2.0.0")
		r.saveAll("a", "3.0.0")
		r.same("current after a save", r.get("a").Number(), "1.0.0")
		r.unlabel("a", "production")
		r.same("current after production is removed", r.get("a").Number(), "3.0.0")
	}),

	storeCase("get/latest", "latest is the highest release by precedence; the highest pre-release if there is no release.", func(r *rig) {
		steps := [][2]string{
			{"1.0.0-alpha", "1.0.0-alpha"}, {"1.0.0-alpha.1", "1.0.0-alpha.1"}, {"1.0.0-2", "1.0.0-alpha.1"}, {"1.0.0-alpha.beta", "1.0.0-alpha.beta"},
			{"1.0.0-beta.2", "1.0.0-beta.2"}, {"1.0.0-beta.11", "1.0.0-beta.11"}, {"0.9.0", "0.9.0"}, {"1.0.0", "1.0.0"}, {"2.0.0-rc.1", "1.0.0"},
			{"0.10.0", "1.0.0"}, {"1.0.10", "1.0.10"}, {"1.0.9", "1.0.10"},
		}
		for _, s := range steps {
			r.saveAll("a", s[0])
			r.same("latest after "+s[0], r.get("a@latest").Number(), s[1])
			v, err := r.s().Latest(r.ctx, "a")
			r.must(err, "Latest")
			r.same("Latest after "+s[0], v.Number(), s[1])
			r.same("the head's latest after "+s[0], r.head("a").Latest, s[1])
		}
		for _, s := range [][2]string{{"1.0.10", "1.0.9"}, {"1.0.9", "1.0.0"}, {"1.0.0", "0.10.0"}, {"0.10.0", "0.9.0"}, {"0.9.0", "2.0.0-rc.1"}, {"2.0.0-rc.1", "1.0.0-beta.11"}} {
			r.delete("a", s[0])
			r.same("latest without "+s[0], r.get("a@latest").Number(), s[1])
		}
	}),

	storeCase("get/as-of", "Every read says as of which revision it is, and that is not before what was acknowledged.", func(r *rig) {
		for i := range 3 {
			want := r.commit(op(text("a", fmt.Sprint(i))), op(text("b", fmt.Sprint(i)))).Revision
			r.ok(r.get("a").AsOf() >= want, "Get is as of %d, after revision %d was acknowledged", r.get("a").AsOf(), want)
			r.ok(r.head("a").AsOf >= want, "Head is as of %d, after %d", r.head("a").AsOf, want)
			list, err := r.s().ListPage(r.ctx, "a", stet.ListOptions{})
			r.must(err, "ListPage")
			r.same("AsOf of a page of versions", list.AsOf, want)
			r.same("AsOf of a version in it", list.Items[0].AsOf(), want)
			prompts, err := r.s().PromptsPage(r.ctx, stet.PromptsOptions{})
			r.must(err, "PromptsPage")
			r.same("AsOf of a page of prompts", prompts.AsOf, want)
			r.same("AsOf of a head in it", prompts.Items[0].AsOf, want)
			many, _, err := r.s().GetMany(r.ctx, []string{"a", "b"}, stet.ReadOptions{})
			r.must(err, "GetMany")
			r.same("AsOf of GetMany", fmt.Sprint(many[0].AsOf(), many[1].AsOf()), fmt.Sprint(want, want))
			changes, err := r.s().ChangesPage(r.ctx, 0, stet.ChangesOptions{})
			r.must(err, "ChangesPage")
			r.same("AsOf of a page of changes", changes.AsOf, want)
		}
		r.label("a", "production", "1.0.0")
		history, err := r.s().HistoryPage(r.ctx, "a", "", stet.HistoryOptions{})
		r.must(err, "HistoryPage")
		r.same("AsOf of a page of moves", history.AsOf, 4)
	}),

	storeCase("get/head", "A head has latest, current, labels and the number of versions; its revision is that of the last commit that changed it.", func(r *rig) {
		done := r.commit(op(numbered("a", "1.0.0")))
		r.saveAll("a", "2.0.0")
		r.label("a", "production", "1.0.0")
		r.label("a", "staging", "2.0.0")
		r.save(text("other", "x"))
		h := r.head("a")
		r.same("the head", fmt.Sprint(h.PromptID, " ", h.Latest, " ", h.Current, " ", h.Labels, " ", h.Versions, " ", h.Revision, " ", h.AsOf),
			"a 2.0.0 1.0.0 map[production:1.0.0 staging:2.0.0] 2 4 5")
		r.same("created_at", h.CreatedAt, done.Time)
		r.ok(h.UpdatedAt.After(h.CreatedAt), "updated_at is not after created_at")
		_, err := r.s().Head(r.ctx, "none")
		r.refused("the head of nothing", err, stet.CodeNotFound, `"none"`)
	}),

	storeCase("get/ids", "An id is 1 to 256 bytes of UTF-8 in any language; ids that look like parts of something else are ids.", func(r *rig) {
		ids := []string{
			"labels", "versions", "latest", "1.0.0", "a b", "x/y/z", "プロンプト/分類", "é", "🙂", "v1", "%2F", "a?b=c&d", "..a", "con", "-", "sha256:00",
			strings.Repeat("漢", 85), strings.Repeat("a", 256), "A", "a", `"quoted"`, "back\\slash", "'; DROP TABLE versions; --",
		}
		for _, id := range ids {
			s, err := r.trySave(stet.Draft{PromptID: id, Text: "of " + id, Labels: []string{"production"}})
			if err != nil {
				r.fail("saving %q: %v", id, err)
				continue
			}
			r.same("the id", s.PromptID(), id)
			r.same("the text of "+id, r.get(id+"@production").Text(), "of "+id)
			r.same("the head's id", r.head(id).PromptID, id)
			r.same("the list of "+id, r.numbers(id, stet.ListOptions{}), "[1.0.0]")
		}
		n := 0
		for _, err := range r.s().Prompts(r.ctx, stet.PromptsOptions{Limit: 3}) {
			r.must(err, "listing")
			n++
		}
		r.same("the number of prompts", n, len(ids))
	}),

	storeCase("get/large", "A content of up to 1 MiB is kept byte for byte.", func(r *rig) {
		for i, s := range []string{strings.Repeat("x", 1<<20-64), strings.Repeat("\u6f22\n", 200_000), strings.Repeat("\"\\\t", 170_000)} {
			id := fmt.Sprint("a", i)
			r.save(text(id, s))
			r.ok(r.get(id).Text() == s, "a text of %d bytes is not what was saved", len(s))
		}
	}),
}

var rangeCases = []Case{
	storeCase("range/highest", "A range names the highest version in it.", func(r *rig) {
		r.saveAll("a", "1.10.0", "0.2.3", "1.2.0", "1.2.9", "0.3.0", "2.0.0", "2.1.0", "0.2.10", "3.0.0-rc.1", "2.2.0-beta.1", "2.2.0-beta.2")
		for sel, want := range map[string]string{
			"^1.2": "1.10.0", "~1.2": "1.2.9", "~1.2.3": "1.2.9", "1.x": "1.10.0", "1.2.x": "1.2.9", "1": "1.10.0", "1.2": "1.2.9", ">=1 <2": "1.10.0",
			"^0.2.3": "0.2.10", ">1.10.0": "2.1.0", "<1": "0.3.0", "<=1.2.0": "1.2.0", "*": "2.1.0", "x": "2.1.0", "1.2.0 || 0.x": "1.2.0",
			">=2.2.0-beta.1": "2.2.0-beta.2", "^2.2.0-beta.1": "2.2.0-beta.2", ">=3.0.0-rc.0 <4": "3.0.0-rc.1", "=1.2.0": "1.2.0", "0.x || 1.2.x": "1.2.9",
		} {
			v, err := r.tryGet("a@" + sel)
			if err != nil {
				r.fail("a@%s: %v", sel, err)
				continue
			}
			r.same("a@"+sel, v.Number(), want)
		}
	}),

	storeCase("range/prerelease", "A range names pre-releases only if it names one; one that matches none is not_found, and says so.", func(r *rig) {
		r.saveAll("a", "1.0.0-rc.1", "1.0.0-rc.2")
		_, err := r.tryGet("a@^1")
		r.refused("a range over pre-releases", err, stet.CodeNotFound, "^1", "re-release", "1.0.0-rc.2")
		r.same("a range that names one", r.get("a@^1.0.0-rc.1").Number(), "1.0.0-rc.2")
		r.saveAll("a", "1.0.0")
		r.same("the range with a release", r.get("a@^1").Number(), "1.0.0")
		_, err = r.tryGet("a@>=2")
		r.refused("a range that matches nothing", err, stet.CodeNotFound, ">=2", "latest is 1.0.0")
	}),

	storeCase("range/after-delete", "A range skips what was deleted.", func(r *rig) {
		r.saveAll("a", "1.0.0", "1.1.0", "1.2.0", "2.0.0")
		r.delete("a", "1.2.0")
		r.same("^1", r.get("a@^1").Number(), "1.1.0")
		r.delete("a", "1.1.0")
		r.same("^1", r.get("a@^1").Number(), "1.0.0")
		r.delete("a", "1.0.0")
		_, err := r.tryGet("a@^1")
		r.refused("^1 with nothing in it", err, stet.CodeNotFound, "2.0.0")
	}),
}

var digestCases = []Case{
	storeCase("digest/newest", "A digest of several versions with one content names the newest of them.", func(r *rig) {
		r.save(text2("a", "2.0.0", "same"))
		r.save(text2("a", "1.0.0", "same"))
		r.save(text2("a", "3.0.0", "other"))
		d := r.get("a@1.0.0").Digest().String()
		r.same("the version", r.get("a@"+d).Number(), "1.0.0")
		r.same("by 8 digits", r.get("a@"+d[:len("sha256:")+8]).Number(), "1.0.0")
		r.same("by 9 digits", r.get("a@"+d[:len("sha256:")+9]).Number(), "1.0.0")
		r.delete("a", "1.0.0")
		r.same("the version that is left", r.get("a@"+d).Number(), "2.0.0")
	}),

	storeCase("digest/missing", "A digest of no version of the prompt is not_found.", func(r *rig) {
		r.save(text("a", "x"))
		r.save(text("b", "y"))
		_, err := r.tryGet("a@" + r.get("b").Digest().String())
		r.refused("the digest of another prompt's version", err, stet.CodeNotFound, "sha256:")
	}),

	storeCase("digest/ambiguous", "A digest prefix that means two contents is an error that names both.", func(r *rig) {
		// Two texts whose digests, as stet computes them, begin with the same 8
		// hex digits: found by search.
		x, y := collision[0], collision[1]
		a, b := r.save(text("a", x)), r.save(text("a", y))
		p := a.Digest().String()[:len("sha256:")+8]
		if p != b.Digest().String()[:len(p)] {
			r.fail("the digests of %q and %q, %s and %s, are not those of the specification", x, y, a.Digest(), b.Digest())
			return
		}
		_, err := r.tryGet("a@" + p)
		r.refused("the prefix of both", err, stet.CodeConflict, "1.0.0", "1.1.0", "more digits")
		r.same("with all digits", r.get("a@"+a.Digest().String()).Number(), "1.0.0")
		r.delete("a", "1.0.0")
		r.same("the prefix once one is gone", r.get("a@"+p).Number(), "1.1.0")
	}),
}
