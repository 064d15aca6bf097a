package drivertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/selector"
)

// live returns the versions that live, by precedence, the lowest first.
func (p *modelPrompt) live() []*modelVersion {
	if p == nil {
		return nil
	}
	var live []*modelVersion
	for _, v := range p.saved {
		if v.deleted == 0 {
			live = append(live, v)
		}
	}
	slices.SortFunc(live, func(a, b *modelVersion) int { return stet.CompareNumbers(a.number, b.number) })
	return live
}

func (p *modelPrompt) find(n stet.Number) *modelVersion {
	for _, v := range p.live() {
		if v.number == n {
			return v
		}
	}
	return nil
}

// latest is the highest release, or the highest pre-release, or nil.
func (p *modelPrompt) latest() *modelVersion {
	var high *modelVersion
	for _, v := range p.live() {
		if high == nil || high.number.IsPrerelease() || !v.number.IsPrerelease() {
			high = v
		}
	}
	return high
}

// current is what the default label points at, or latest.
func (p *modelPrompt) current() *modelVersion {
	if n := p.at(stet.DefaultLabel); !n.IsZero() {
		return p.find(n)
	}
	return p.latest()
}

// resolve finds the version that a selector names.
func (p *modelPrompt) resolve(sel string) (*modelVersion, error) {
	s, err := selector.Parse(sel)
	if err != nil {
		return nil, err
	}
	var found *modelVersion
	switch s.Kind() {
	case selector.KindCurrent:
		found = p.current()
	case selector.KindLatest:
		found = p.latest()
	case selector.KindExact:
		found = p.find(s.Number())
	case selector.KindLabel:
		found = p.find(p.at(s.Label()))
	case selector.KindOrdinal:
		for _, v := range p.live() {
			if uint64(v.ordinal) == s.Ordinal() {
				found = v
			}
		}
	case selector.KindDigest:
		for _, v := range p.live() {
			d := v.content.Digest()
			if !strings.HasPrefix(fmt.Sprintf("%x", d[:]), s.Digest()) {
				continue
			}
			if found != nil && found.content.Digest() != d {
				return nil, clash("two contents")
			}
			if found == nil || found.ordinal < v.ordinal {
				found = v
			}
		}
	case selector.KindRange:
		for _, v := range p.live() {
			if s.Range().Contains(v.number) {
				found = v
			}
		}
	}
	if found == nil {
		return nil, absent()
	}
	return found, nil
}

// past returns the model as it was where a call reads it.
func (m *model) past(c *Call) (*model, error) {
	switch {
	case !c.past():
		return m, nil
	case c.At == 0, c.At > m.revision, c.At < m.cleared:
		return nil, absent()
	}
	for m.revision > c.At {
		m = m.before
	}
	return m, nil
}

// get resolves one reference as it was where a call reads it. A text that was
// deleted since is gone.
func (m *model) get(ref string, c *Call) (*modelVersion, string, error) {
	id, sel, _ := strings.Cut(ref, "@")
	if _, err := selector.Parse(sel); err != nil {
		return nil, id, err
	}
	if err := stet.CheckID(id); err != nil {
		return nil, id, err
	}
	then, err := m.past(c)
	if err != nil {
		return nil, id, err
	}
	p := then.prompts[id]
	if p == nil {
		return nil, id, absent()
	}
	v, err := p.resolve(sel)
	if err == nil && m.prompts[id].find(v.number) == nil {
		err = absent()
	}
	return v, id, err
}

// do carries out a call and returns the model afterwards, and the answer.
func (m *model) do(c *Call) (*model, Answer) {
	if c.Commit != nil {
		next, a, results := m.doCommit(c.Commit)
		if c.Kind != "commit" && a.Code == "" {
			a.Lines = []string{results[0].alone(c.Kind)}
			if r := results[0]; c.Kind == "save" && !r.same {
				a.Revs = []uint64{r.saved.revision}
			}
		}
		if c.Kind != "commit" {
			a.Op = stet.NoOp
		}
		return next, a
	}
	a := Answer{Op: stet.NoOp, AsOf: m.revision}
	if c.At != 0 {
		a.AsOf = c.At
	}
	if err := m.read(c, &a); err != nil {
		a = Answer{Code: string(stet.CodeOf(err)), Op: a.Op}
	}
	return m, a
}

// alone is the answer of the method for one operation.
func (r *modelResult) alone(kind string) string {
	switch kind {
	case "save":
		if r.same { // which may be gone by the time that its other fields are read
			return unchangedLine(r.id, r.saved.number, uint64(r.saved.ordinal), r.saved.content.Digest())
		}
		return r.saved.line(r.id) + " bump=" + r.bump
	case "delete":
		return fmt.Sprint(r.gone)
	case "clear":
		return ""
	}
	return r.line
}

func (m *model) read(c *Call, a *Answer) error {
	then, err := m.past(c)
	switch c.Kind {
	case "get", "render":
		v, id, err := m.get(c.Ref, c)
		if err != nil {
			return err
		}
		line := v.line(id)
		if c.Kind == "render" {
			if line, err = v.render(id, c.Values); err != nil {
				return err
			}
		}
		a.add(line, v.revision)
		return nil
	case "changes":
		return m.changes(c, a)
	case "many":
		a.Op = 0
		for _, ref := range c.Refs { // what is malformed is found first
			id, sel, _ := strings.Cut(ref, "@")
			if _, err := selector.Parse(sel); err != nil {
				return err
			}
			if err := stet.CheckID(id); err != nil {
				return err
			}
			a.Op++
		}
		a.Op = stet.NoOp
		if err != nil {
			return err
		}
		for i, ref := range c.Refs {
			v, id, err := m.get(ref, c)
			if err != nil {
				a.Op = i
				return err
			}
			a.add(v.line(id), v.revision)
		}
		return nil
	case "prompts":
		return m.readPrompts(c, a)
	}
	id := c.Ref
	if err := stet.CheckID(id); err != nil {
		return err
	}
	if c.Kind == "history" {
		if err := stet.CheckLabel(c.label()); err != nil {
			return err
		}
	}
	if c.Limit < 0 || c.Limit > stet.MaxLimit {
		return stet.Errorf(stet.CodeInvalid, "limit")
	}
	if err != nil {
		return err
	}
	p := then.prompts[id]
	switch {
	case p == nil:
		return absent()
	case c.Kind == "history":
		return p.history(c, a)
	case p.latest() == nil:
		return absent()
	case c.Kind == "head":
		a.add(p.head(), p.revision)
		return nil
	}
	return p.list(m.prompts[id], c, a)
}

func (p *modelPrompt) list(now *modelPrompt, c *Call, a *Answer) error {
	all := p.live()
	if !c.Ascending {
		slices.Reverse(all)
	}
	for _, v := range all {
		if c.After != "" {
			if d := stet.CompareNumbers(v.number, stet.MustParseNumber(c.After)); d == 0 || c.Ascending != (d > 0) {
				continue
			}
		}
		if now.find(v.number) == nil {
			continue // deleted since
		}
		if len(a.Lines) == c.limit() {
			a.More = true
			break
		}
		a.add(v.line(p.id), v.revision)
		a.Last = v.number.String()
	}
	return nil
}

func (p *modelPrompt) history(c *Call, a *Answer) error {
	moves := p.labels[c.label()]
	if len(moves) == 0 {
		return absent()
	}
	end := len(moves)
	if c.After != "" {
		fmt.Sscan(c.After, &end)
	}
	for end--; end >= 0; end-- {
		if len(a.Lines) == c.limit() {
			a.More = true
			break
		}
		m := &moves[end]
		a.add(fmt.Sprintf("%s>%s %s: %s", num(m.from), num(m.to), m.author, m.message), m.revision)
		a.Last = fmt.Sprint(end)
	}
	return nil
}

func (m *model) readPrompts(c *Call, a *Answer) error {
	if c.Limit < 0 || c.Limit > stet.MaxLimit {
		return stet.Errorf(stet.CodeInvalid, "limit")
	}
	if err := stet.CheckPrefix(c.Prefix); err != nil {
		return err
	}
	if c.Label != "" {
		if err := stet.CheckLabel(c.Label); err != nil {
			return err
		}
	}
	then, err := m.past(c)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(then.prompts)) {
		p := then.prompts[id]
		if !strings.HasPrefix(id, c.Prefix) || id <= c.After || p.latest() == nil || c.Label != "" && p.at(c.Label).IsZero() {
			continue
		}
		if len(a.Lines) == c.limit() {
			a.More = true
			break
		}
		a.add(p.head(), p.revision)
		a.Last = id
	}
	return nil
}

func (p *modelPrompt) head() string {
	labels := map[string]stet.Number{}
	for l := range p.labels {
		if n := p.at(l); !n.IsZero() {
			labels[l] = n
		}
	}
	return headLine(p.id, numberOf(p.latest()), numberOf(p.current()), labels, len(p.live()))
}

func (v *modelVersion) line(id string) string {
	return versionLine(id, v.number, uint64(v.ordinal), v.content, v.content.Digest(), v.metadata, v.draft.Parents, v.author, v.message)
}

// changes reads the log. Texts are those of the versions that still live.
func (m *model) changes(c *Call, a *Answer) error {
	switch {
	case c.Limit < 0 || c.Limit > stet.MaxLimit:
		return stet.Errorf(stet.CodeInvalid, "limit")
	case c.Since > m.revision:
		return absent()
	}
	var log []*model // after each commit, the last first
	for at := m; at.revision > c.Since; at = at.before {
		log = append(log, at)
	}
	for _, at := range slices.Backward(log) {
		if len(a.Lines) == c.limit() {
			a.More = true
			break
		}
		n := len(at.entry.results)
		kinds, lines, texts := make([]string, n), make([]string, n), make([]string, n)
		for i, r := range at.entry.results {
			kinds[i], lines[i] = at.entry.commit.Ops[i].Kind(), r.line
			if p := m.prompts[r.id]; c.Texts && r.saved != nil && !r.same && p != nil && slices.Contains(p.saved, r.saved) {
				texts[i] = r.saved.line(r.id) // a version that is gone has another in its place
			}
		}
		a.addLogged(at.revision, at.entry.commit, kinds, lines, texts)
	}
	return nil
}

// variable finds the variables that the generator's texts have.
var variable = regexp.MustCompile(`\{\{\s*([a-z]+)\s*\}\}`)

// render fills in what the texts of the generator leave open.
func (v *modelVersion) render(id string, with *stet.Values) (string, error) {
	bad := false
	fill := func(s string) string {
		return variable.ReplaceAllStringFunc(s, func(found string) string {
			value, given := with.Variables[variable.FindStringSubmatch(found)[1]]
			bad = bad || !given || strings.ContainsRune(value, 0)
			return value
		})
	}
	text, messages := fill(v.content.Text()), v.content.Messages()
	if messages != "" {
		var list, filled []map[string]any
		_ = json.Unmarshal([]byte(messages), &list)
		for _, m := range list {
			if m["type"] != "placeholder" {
				m["content"] = fill(m["content"].(string))
				filled = append(filled, m)
				continue
			}
			given, ok := with.Placeholders[m["name"].(string)]
			var more []map[string]any
			_ = json.Unmarshal(given, &more)
			filled, bad = append(filled, more...), bad || !ok
		}
		raw, _ := json.Marshal(filled)
		messages = canonical(raw)
	}
	if bad {
		return "", stet.Errorf(stet.CodeInvalid, "no value")
	}
	return renderedLine(id, v.number, v.content.Type(), text, messages, v.content.Config()), nil
}
