package main

import (
	_ "embed"

	"github.com/stet-dev/stet"
)

var (
	//go:embed completion.bash
	bashCompletion string
	//go:embed completion.zsh
	zshCompletion string
	//go:embed completion.fish
	fishCompletion string
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

func (*completionCmd) Help() string {
	return `Examples:

    source <(stet completion bash)             # in ~/.bashrc
    source <(stet completion zsh)              # in ~/.zshrc, after compinit
    stet completion fish | source              # in ~/.config/fish/config.fish

It completes commands, flags, the ids of prompts, labels and numbers.`
}

func (c *completionCmd) Run(a *app) error {
	scripts := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	script, ok := scripts[c.Shell]
	if !ok {
		return stet.Errorf(stet.CodeInvalid, "there is no completion for %q. Write bash, zsh or fish.", c.Shell)
	}
	a.out.WriteString(script)
	return nil
}
