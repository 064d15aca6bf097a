package drivertest

import (
	"github.com/stet-dev/stet"
)

var renderCases = []Case{
	storeCase("render/text", "Render fills variables; a missing one is invalid, never blank; nothing is escaped.", func(r *rig) {
		r.save(text("a", "Hi {{name}}, {{ name }} <{{q}}> {{not a variable}} {x}"))
		v := r.get("a")
		out, err := v.Render(stet.Values{Variables: map[string]string{"name": `<b>"Zoë"</b>`, "q": "{{name}}"}})
		r.must(err, "rendering")
		r.same("the text", out.Text(), `Hi <b>"Zoë"</b>, <b>"Zoë"</b> <{{name}}> {{not a variable}} {x}`)
		_, err = v.Render(stet.Values{Variables: map[string]string{"name": "x"}})
		r.refused("rendering without a variable", err, stet.CodeInvalid, "q")
	}),

	storeCase("render/none", `With the template "none" nothing is a variable.`, func(r *rig) {
		r.save(stet.Draft{PromptID: "a", Text: "{{Hostname}}", Template: "none"})
		v := r.get("a")
		for name := range v.Variables() {
			r.fail("%s is a variable", name)
		}
		out, err := v.Render(stet.Values{})
		r.must(err, "rendering")
		r.same("the text", out.Text(), "{{Hostname}}")
	}),
}
