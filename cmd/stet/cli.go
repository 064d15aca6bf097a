package main

import (
	"context"
	"errors"
	"os"
	"os/user"
	"regexp"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stet-dev/stet/httpapi"
	"github.com/stet-dev/stet/internal/conns"
	"github.com/stet-dev/stet/internal/term"
)

// A cli is the command line. Each field is a verb, or a flag of every verb.
type cli struct {
	Store   string `env:"STET_STORE" default:"sqlite:stet.db" placeholder:"ADDRESS" help:"Where the prompts are. A file: sqlite:PATH, or a PATH that ends in .db. A server: http://HOST:PORT, https://HOST:PORT, or unix:PATH for its private socket. Nowhere: memory:, gone when the command ends. The default is ${default}; restore and key need a file."`
	Key     string `env:"STET_KEY" placeholder:"KEY" help:"The key for a server. Others can see command lines: prefer STET_KEY."`
	JSON    bool   `name:"json" help:"Print JSON: one object, or one object a line."`
	NoColor bool   `help:"Print without colours; the variable NO_COLOR does the same."`

	Save     saveCmd     `cmd:"" group:"Write" help:"Save a text as a new version."`
	Label    labelCmd    `cmd:"" group:"Write" help:"Move a label to a version, or remove it."`
	Rollback rollbackCmd `cmd:"" group:"Write" help:"Move a label back to where it was before."`
	Delete   deleteCmd   `cmd:"" group:"Write" help:"Delete a version, or a whole prompt."`
	Clear    clearCmd    `cmd:"" group:"Write" help:"Delete everything."`

	Get     getCmd     `cmd:"" group:"Read" help:"Print the text of a version, and nothing else."`
	Render  renderCmd  `cmd:"" group:"Read" help:"Print a version with its variables filled in."`
	List    listCmd    `cmd:"" group:"Read" help:"List the prompts."`
	Show    showCmd    `cmd:"" group:"Read" help:"Show a prompt's labels, or everything about a version except its text."`
	Log     logCmd     `cmd:"" group:"Read" help:"List the versions of a prompt."`
	History historyCmd `cmd:"" group:"Read" help:"List where a label has been, who moved it and why."`
	Diff    diffCmd    `cmd:"" group:"Read" help:"Show what differs between two versions."`
	Watch   watchCmd   `cmd:"" group:"Read" help:"Show changes as they happen."`

	Serve   serveCmd   `cmd:"" group:"Store" help:"Serve the store over HTTP."`
	Ring    keyCmd     `cmd:"" name:"key" group:"Store" help:"Make, list and revoke the keys of a server."`
	Import  importCmd  `cmd:"" group:"Store" help:"Import drafts, commits or an export from JSON lines."`
	Export  exportCmd  `cmd:"" group:"Store" help:"Write the whole store as JSON lines."`
	Verify  verifyCmd  `cmd:"" group:"Store" help:"Recompute every digest and hash of the store."`
	Backup  backupCmd  `cmd:"" group:"Store" help:"Copy the store to a file, and check the copy."`
	Restore restoreCmd `cmd:"" group:"Store" help:"Make a store from a backup."`

	Race       raceCmd       `cmd:"" group:"Other" help:"Show the lost updates that stet began with, their first fix, and stet."`
	Completion completionCmd `cmd:"" group:"Other" help:"Print the completion script of a shell."`
	Version    versionCmd    `cmd:"" group:"Other" help:"Print the version of this program."`
	Complete   completeCmd   `cmd:"" name:"__complete" hidden:"" passthrough:"all"`
}

const description = `stet keeps every version of your prompts: immutable, numbered, labelled, and undone with one command.

ID names a prompt (support/triage). ID@SELECTOR names a version: a number (1.2.0), latest, current, a label (production), a range (^1.2), an ordinal (#12), or sha256: and at least 8 digits. Without a selector it is current: production if the prompt has that label, else latest.

Exit codes: 0 done, 1 failed, 2 usage or invalid input, 3 not found, 4 conflict, 5 not known whether it was done (send it again with --commit-id).`

// An app is what all verbs work with.
type app struct {
	ctx    context.Context
	flags  *cli
	kong   *kong.Kong
	stdin  *os.File
	out    *term.Output // results
	errs   *term.Output // progress and messages; flushed at each message
	stdout *os.File
}

// run runs a command and returns its exit code.
func run(ctx context.Context, args []string) int {
	for _, v := range os.Environ() { // an empty variable counts as unset: scripts cannot always unset one
		if key, value, _ := strings.Cut(v, "="); value == "" && strings.HasPrefix(key, "STET_") {
			os.Unsetenv(key)
		}
	}
	var flags cli
	parser := newParser(&flags)
	a := &app{ctx: ctx, flags: &flags, kong: parser, stdin: os.Stdin, stdout: os.Stdout}
	a.outputs(os.Getenv("NO_COLOR") == "")
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case len(args) == 1 && args[0] == "--version":
		args = []string{"version"}
	}
	c, err := parser.Parse(joinNegatives(args))
	if err != nil {
		return a.usage(err)
	}
	if flags.NoColor {
		a.outputs(false)
	}
	err = c.Run(a)
	if ferr := a.out.Flush(); err == nil && ferr != nil {
		err = ferr
	}
	return a.report(err)
}

// newParser returns the parser of command lines.
func newParser(flags *cli) *kong.Kong {
	return kong.Must(flags,
		kong.Name("stet"), kong.Description(description),
		kong.Vars{
			"maxbody": strconv.Itoa(httpapi.DefaultMaxBody), "conns": strconv.Itoa(conns.DefaultMost), "inhand": strconv.Itoa(httpapi.DefaultInHand),
			"streams": strconv.Itoa(httpapi.DefaultStreams), "rate": strconv.Itoa(httpapi.DefaultRate),
		},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "Write", Title: "Change prompts:"}, {Key: "Read", Title: "Read prompts:"},
			{Key: "Store", Title: "The store:"}, {Key: "Other", Title: "Other:"},
		}),
	)
}

// negative matches what begins like a negative number. No flag begins so.
var negative = regexp.MustCompile(`^-\.?[0-9]`)

// joinNegatives writes --rate -1 as --rate=-1, and -n -1 as -n-1: the parser takes what
// begins with a hyphen for a flag.
func joinNegatives(args []string) []string {
	if len(args) > 0 && args[0] == "__complete" { // its arguments are an unfinished line
		return args
	}
	var joined []string
	for i, arg := range args {
		if arg == "--" {
			return append(joined, args[i:]...)
		}
		last := len(joined) - 1
		if last < 0 || !negative.MatchString(arg) || strings.Contains(joined[last], "=") {
			joined = append(joined, arg)
			continue
		}
		switch before := joined[last]; {
		case len(before) > 2 && strings.HasPrefix(before, "--"):
			joined[last] += "=" + arg
		case len(before) == 2 && before[0] == '-' && before != "--":
			joined[last] += arg
		default:
			joined = append(joined, arg)
		}
	}
	return joined
}

func (a *app) outputs(color bool) {
	color = color && os.Getenv("TERM") != "dumb"
	a.out, a.errs = term.New(a.stdout, color), term.New(os.Stderr, color)
}

// usage reports a command line that is wrong.
func (a *app) usage(err error) int {
	help := "stet --help"
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		help = p.Context.Selected().FullPath() + " --help"
	}
	a.complain("usage: " + inWords(err.Error()) + " See: " + help)
	return exitUsage
}

// inWords makes a sentence of an error of the parser.
func inWords(s string) string {
	if missing, ok := strings.CutPrefix(s, `expected "<`); ok {
		s = "an argument is missing: <" + strings.ReplaceAll(missing, `"`, "")
	}
	s = strings.Replace(s, "expected a valid 64 bit int but got", "expected a whole number, and got", 1)
	if before, meant, ok := strings.Cut(s, ", did you mean "); ok {
		return before + ". Did you mean " + strings.TrimSuffix(meant, "?") + "?"
	}
	return strings.TrimSuffix(s, ".") + "."
}

// defaultAuthor is the author of commits if none is given.
func defaultAuthor() string {
	if s := os.Getenv("STET_AUTHOR"); s != "" {
		return s
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
