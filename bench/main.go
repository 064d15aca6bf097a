// Command bench measures stet: beside its peers, beside itself at another commit, as
// its stores grow, and under a load that lasts.
//
//	go run .                            # beside its peers, about three minutes
//	go run . -http -short               # the service beside its, a glance
//	go run . compare -base HEAD~1       # this commit beside another
//	go run . fill -store sqlite:big.db  # a large store to play with
//	go run . scale -dir /var/tmp/scale  # stores of several sizes
//	go run . soak -store sqlite:soak.db # ten minutes of a mixed load, and its check
//
// It exits with 0 whatever the verdicts on speed are: a missed target is a finding,
// not a failure. 1 means that something could not be measured, or that a soak found
// something wrong; 2 that the command line was.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/peers"
	"github.com/stet-dev/stet/bench/report"
	"github.com/stet-dev/stet/internal/term"
	"github.com/stet-dev/stet/open"
)

// A verb is one of the things that bench does.
type verb struct {
	name  string
	about string
	// define adds the verb's flags to a set and returns what is run once they are
	// parsed, with the arguments that are left.
	define func(*flag.FlagSet) func(ctx context.Context, c console, args []string) error
}

// verbs has what is run without the name of a verb first.
var verbs = []verb{
	{"peers", "measure stet beside its peers; what is run if no verb is named", definePeers},
	{"compare", "the same measurements at two commits, in turn", defineCompare},
	{"fill", "fill a store with made-up prompts", defineFill},
	{"scale", "fill and measure stores of several sizes, or measure the stores named", defineScale},
	{"soak", "put a mixed load on a store for as long as you like, and check it", defineSoak},
}

// A console is where a verb writes: results, and what is not a result.
type console struct{ out, errs *term.Output }

func (c console) progress() report.Progress { return report.Progress{To: c.errs} }

// say writes a line that is not a result.
func (c console) say(format string, args ...any) {
	c.progress().Clear()
	c.errs.WriteString(term.Line(fmt.Sprintf(format, args...)) + "\n")
	c.errs.Flush()
}

func main() {
	peers.BeServer()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	color := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	c := console{term.New(os.Stdout, color), term.New(os.Stderr, color)}
	code := run(ctx, c, os.Args[1:])
	c.out.Flush()
	os.Exit(code)
}

// errSaid ends a verb with the exit code 1 and no message: what it has to say is
// written already.
var errSaid = errors.New("said already")

// run carries out a command line and returns its exit code.
func run(ctx context.Context, c console, args []string) int {
	v := verbs[0]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		found := false
		for _, v = range verbs {
			if found = v.name == args[0]; found {
				break
			}
		}
		if !found {
			c.say("bench: there is no verb %q:", args[0])
			for _, v := range verbs {
				c.say("  %-8s %s", v.name, v.about)
			}
			return 2
		}
		args = args[1:]
	}
	flags := flag.NewFlagSet("bench "+v.name, flag.ContinueOnError)
	flags.SetOutput(c.errs)
	do := v.define(flags)
	err := flags.Parse(args)
	c.errs.Flush() // the usage
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	err = do(ctx, c, flags.Args())
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		c.say("bench: %v", err)
	}
	if stet.CodeOf(err) == stet.CodeInvalid {
		return 2
	}
	return 1
}

// usage is the error of a command line that cannot be.
func usage(format string, args ...any) error { return stet.Errorf(stet.CodeInvalid, format, args...) }

// none is an error if there are arguments.
func none(args []string) error {
	if len(args) > 0 {
		return usage("there is nothing to name: %q.", args)
	}
	return nil
}

// openStore opens a store that is to be measured: a file itself, and not through a
// server that has it open.
func openStore(ctx context.Context, address string) (*stet.Store, error) {
	return open.Store(ctx, address, nil)
}

// withStore calls f with a store and closes it.
func withStore(ctx context.Context, address string, f func(*stet.Store) error) error {
	s, err := openStore(ctx, address)
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}
