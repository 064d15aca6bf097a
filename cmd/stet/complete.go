package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/visible"
	"github.com/stet-dev/stet/open"
)

// completeCmd prints the completions of the last word of a command line, one a line, for
// the scripts of the shells. It does not report failures.
type completeCmd struct {
	Words []string `arg:"" optional:""`
}

// completeTime is how long a person who presses the tab key waits for a store that another
// program may be using.
const completeTime = 500 * time.Millisecond

// maxComplete is how many prompts are offered at most.
const maxComplete = 500

func (c *completeCmd) Run(a *app) error {
	words := c.Words
	if len(words) == 0 {
		words = []string{""}
	}
	cur := words[len(words)-1]
	for _, s := range a.candidates(words[:len(words)-1], cur) {
		if strings.HasPrefix(s, cur) {
			a.println(visible.Text(s))
		}
	}
	return nil
}

// candidates returns what may follow the words before.
func (a *app) candidates(before []string, cur string) []string {
	var verb *kong.Node
	var args []string // of the verb
	for i := 0; i < len(before); i++ {
		w := before[i]
		if strings.HasPrefix(w, "-") && w != "-" {
			f := findFlag(a.kong.Model.Node, verb, w)
			if f == nil || f.IsBool() || strings.Contains(w, "=") {
				continue
			}
			if i++; i < len(before) {
				switch f.Name {
				case "store":
					a.flags.Store = before[i]
				case "keys":
					a.flags.Ring.Keys = before[i]
				}
				continue
			}
			return values(f) // the word is the flag's value
		}
		if verb == nil {
			if verb = findVerb(a.kong.Model.Node, w); verb == nil {
				return nil
			}
			continue
		}
		if len(verb.Children) > 0 {
			if verb = findVerb(verb, w); verb == nil {
				return nil
			}
			continue
		}
		args = append(args, w)
	}
	switch {
	case strings.HasPrefix(cur, "-"):
		return flags(a.kong.Model.Node, verb)
	case verb == nil:
		return verbs(a.kong.Model.Node)
	case len(verb.Children) > 0:
		return verbs(verb)
	case verb.Parent == a.kong.Model.Node:
		return a.arguments(verb.Name, args, cur)
	case verb.Name == "revoke" && len(args) == 0:
		return a.keyNames()
	}
	return nil
}

func verbs(root *kong.Node) []string {
	var list []string
	for _, n := range root.Children {
		if !n.Hidden {
			list = append(list, n.Name)
		}
	}
	return list
}

func findVerb(root *kong.Node, word string) *kong.Node {
	for _, n := range root.Children {
		if n.Name == word {
			return n
		}
	}
	return nil
}

func flags(root, verb *kong.Node) []string {
	var list []string
	for _, n := range around(root, verb) {
		for _, f := range n.Flags {
			list = append(list, "--"+f.Name)
		}
	}
	return list
}

// around returns a verb, nil for none, and the verbs that it belongs to, whose flags it
// has, too.
func around(root, verb *kong.Node) []*kong.Node {
	if verb == nil {
		return []*kong.Node{root}
	}
	var nodes []*kong.Node
	for n := verb; n != nil; n = n.Parent {
		nodes = append(nodes, n)
	}
	return nodes
}

func findFlag(root, verb *kong.Node, word string) *kong.Flag {
	word, _, _ = strings.Cut(word, "=")
	for _, n := range around(root, verb) {
		for _, f := range n.Flags {
			if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// values returns what a flag may be set to; nothing if that is a file or free text.
func values(f *kong.Flag) []string {
	switch f.Name {
	case "bump":
		return []string{"auto", "major", "minor", "patch"}
	case "template":
		return []string{"none"}
	case "role":
		return []string{"reader", "writer", "promoter", "admin"}
	case "label", "labels":
		return []string{"production", "staging"}
	}
	return nil
}

// arguments returns the completions of the next argument of a verb.
func (a *app) arguments(verb string, args []string, cur string) (list []string) {
	if verb == "completion" && len(args) == 0 {
		return []string{"bash", "zsh", "fish"}
	}
	if ok, err := open.Exists(a.flags.Store); !ok || err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, completeTime)
	defer cancel()
	s, err := open.Store(ctx, a.flags.Store, &open.Options{Running: func(int) {}, Client: a.client()})
	if err != nil {
		return nil
	}
	defer s.Close()
	takes := map[string]string{ // i: an id, r: a reference, l: a label, v: a version
		"save": "i", "label": "ilv", "rollback": "rv", "delete": "r", "get": "r", "render": "r", "list": "i",
		"show": "r", "log": "i", "history": "r", "diff": "ivv",
	}[verb]
	if len(args) >= len(takes) {
		return nil
	}
	switch kind := takes[len(args)]; {
	case kind == 'i':
		return ids(ctx, s, cur)
	case kind == 'r':
		id, _, ok := strings.Cut(cur, "@")
		if !ok {
			return ids(ctx, s, cur)
		}
		for _, sel := range selectors(ctx, s, id, verb) {
			list = append(list, id+"@"+sel)
		}
		return list
	case kind == 'l':
		return selectors(ctx, s, args[0], "history")
	}
	id, _, _ := strings.Cut(args[0], "@")
	return selectors(ctx, s, id, verb)
}

func ids(ctx context.Context, s *stet.Store, prefix string) (list []string) {
	page, err := s.PromptsPage(ctx, stet.PromptsOptions{Prefix: prefix, Limit: maxComplete})
	if err != nil {
		return nil
	}
	for _, h := range page.Items {
		list = append(list, h.PromptID)
	}
	return list
}

// selectors returns the labels of a prompt, and its numbers where they are allowed.
func selectors(ctx context.Context, s *stet.Store, id, verb string) (list []string) {
	h, err := s.Head(ctx, id)
	if err != nil {
		return nil
	}
	if verb != "delete" {
		for l := range h.Labels {
			list = append(list, l)
		}
		slices.Sort(list)
	}
	if verb == "history" {
		return list
	}
	page, err := s.ListPage(ctx, id, stet.ListOptions{})
	if err != nil {
		return list
	}
	if verb != "delete" && verb != "rollback" {
		list = append(list, "latest")
	}
	for _, v := range page.Items {
		list = append(list, v.Number().String())
	}
	return list
}
