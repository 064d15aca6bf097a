package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/bench/peers"
)

func TestMain(m *testing.M) {
	peers.BeServer()
	testscript.Main(m, map[string]func(){"bench": main, "foreign": foreign})
}

// foreign saves a prompt that is not of a benchmark: foreign FILE.
func foreign() {
	err := withStore(context.Background(), "sqlite:"+os.Args[1], func(s *stet.Store) error {
		_, err := s.Save(context.Background(), stet.Draft{PromptID: "support/triage", Text: "Hello"})
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestScripts runs bench as the targets of the Makefile do, with very little to do.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
		},
		RequireExplicitExec: true,
	})
}

// exits runs a program that must end with an exit code: exits CODE PROGRAM ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if e := (*exec.ExitError)(nil); errors.As(ts.Exec(args[1], args[2:]...), &e) {
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("the exit code is %d, want %d", got, want)
	}
}
