package drivertest

import (
	"strings"

	"github.com/stet-dev/stet"
)

var messageCases = []Case{
	storeCase("errors/not-found", "not_found says whether it is the prompt, the version or the label, and what there is instead.", func(r *rig) {
		r.saveAll("support/triage", "1.3.0", "1.6.0")
		r.label("support/triage", "production", "1.3.0")
		r.label("support/triage", "staging", "1.6.0")
		for ref, words := range map[string]string{
			"none":                           `there is no prompt "none"`,
			"none@1.0.0":                     `there is no prompt "none"`,
			"support/triage@prod":            `support/triage has no label "prod". Labels: production → 1.3.0, staging → 1.6.0.`,
			"support/triage@1.4.0":           "support/triage has no version 1.4.0. Its latest is 1.6.0.",
			"support/triage@#3":              "support/triage has no version #3: 2 were saved",
			"support/triage@^2":              `support/triage has no version in the range "^2". Its latest is 1.6.0.`,
			"support/triage@sha256:00000000": "sha256:00000000",
		} {
			_, err := r.tryGet(ref)
			r.refusedOp("getting "+ref, err, -1, stet.CodeNotFound, words)
		}
	}),

	storeCase("errors/did-you-mean", "The error for a prompt or a label that does not exist proposes one with a similar name, of those that exist now.", func(r *rig) {
		r.saveAll("support/triage", "1.3.0")
		r.saveAll("support/trial", "1.0.0")
		r.label("support/triage", "production", "1.3.0")
		r.label("support/triage", "canary", "1.3.0")
		r.unlabel("support/triage", "canary")
		r.delete("support/trial", "1.0.0")
		for ref, words := range map[string]string{
			"support/traige":           `there is no prompt "support/traige". Did you mean support/triage? See`,
			"Support/triage@1.3.0":     "Did you mean support/triage?",
			"support%2Ftriage":         "Did you mean support/triage?",
			"support":                  "Did you mean support/triage?",
			"support/triage@producton": "Labels: production → 1.3.0. Did you mean production?",
			"support/triage@prod":      "Did you mean production?",
		} {
			_, err := r.tryGet(ref)
			r.refusedOp("getting "+ref, err, -1, stet.CodeNotFound, words)
		}
		_, err := r.trySetLabel(stet.SetLabel{PromptID: "suport/triage", Label: "production", Version: "1.3.0"})
		r.refusedOp("a label", err, -1, stet.CodeNotFound, "Did you mean support/triage?")
		_, err = r.s().Head(r.ctx, "support/triages")
		r.refused("the head", err, stet.CodeNotFound, "Did you mean support/triage?")
		for _, ref := range []string{"support/trials", "none", "support/triage@canaries", "support/triage@beta"} {
			_, err := r.tryGet(ref)
			r.refused("getting "+ref, err, stet.CodeNotFound)
			r.ok(err == nil || !strings.Contains(err.Error(), "trial?") && !strings.Contains(err.Error(), "canary?"), "getting %s proposes what is gone: %v", ref, err)
		}
	}),

	storeCase("errors/conflict", "conflict says what stands there instead, and that nothing changed.", func(r *rig) {
		r.saveAll("support/triage", "1.2.0", "1.3.0", "1.4.0")
		r.label("support/triage", "production", "1.4.0")
		r.delete("support/triage", "1.2.0")
		_, err := r.trySetLabel(stet.SetLabel{PromptID: "support/triage", Label: "production", Version: "1.3.0", Expect: ptr("1.3.0")})
		r.refusedOp("a swap", err, -1, stet.CodeConflict, "production is at 1.4.0 (set by ana ", " ago), not 1.3.0. Nothing changed. See: stet diff support/triage 1.3.0 1.4.0")
		_, err = r.trySave(numbered("support/triage", "1.2.0"))
		r.refusedOp("a deleted number", err, -1, stet.CodeConflict, "1.2.0 was deleted at revision 5; numbers are never used again.", "Nothing changed")
	}),

	storeCase("errors/one-type", "Every error is a *stet.Error with a code, a sentence that ends, and no blamed operation where there was one only.", func(r *rig) {
		r.saveAll("a", "1.0.0")
		r.label("a", "production", "1.0.0")
		_, save := r.trySave(numbered("a", "1.0.0"))
		_, label := r.trySetLabel(stet.SetLabel{PromptID: "a", Label: "l", Version: "9.0.0"})
		_, remove := r.tryRemoveLabel(stet.RemoveLabel{PromptID: "a", Label: "l"})
		_, roll := r.tryRollback(stet.Rollback{PromptID: "a"})
		_, del := r.tryDelete(stet.Delete{PromptID: "a"})
		_, get := r.tryGet("none")
		_, at := r.s().Get(r.ctx, "none", stet.ReadOptions{At: stet.Point{Revision: 1}})
		_, _, many := r.s().GetMany(r.ctx, []string{strings.Repeat("a", 300)}, stet.ReadOptions{})
		for what, err := range map[string]error{"save": save, "label": label, "remove": remove, "rollback": roll, "delete": del, "get": get, "get at": at, "get many": many} {
			e, ok := err.(*stet.Error)
			if !ok {
				r.fail("%s fails with a %T: %v", what, err, err)
				continue
			}
			r.ok(e.Code != "" && e.Message != "", "the error of %s has no code or no message", what)
			r.ok(what == "get many" || e.Op == -1, "the error of %s blames operation %d", what, e.Op)
			r.ok(!strings.Contains(e.Message, "  ") && !strings.Contains(e.Message, "%!"), "the error of %s is badly written: %q", what, e.Message)
			r.ok(e.CommitID == "", "the error of %s has a commit id, which is for unknown outcomes", what)
		}
	}),
}
