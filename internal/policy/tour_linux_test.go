package policy

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stet-dev/stet/internal/testkit"
)

// TestTour types the commands of the console blocks of the README and of docs/tour.md
// and compares what a terminal shows with what the page shows, but for times and
// hashes. (It is for Linux because that is where it knows how to make a terminal.)
func TestTour(t *testing.T) {
	bin := t.TempDir()
	goCommand(t, "build", "-o", bin, "./cmd/stet")
	for _, c := range []struct {
		name     string
		commands int // at least
	}{
		{"README.md", 12},
		{"docs/tour.md", 12},
	} {
		t.Run(c.name, func(t *testing.T) { tour(t, c.name, bin, c.commands) })
	}
}

func tour(t *testing.T, name, bin string, atLeast int) {
	dir := t.TempDir()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(repository, "examples"), filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	_, noCurl := exec.LookPath("curl")
	p := page{t: t, dir: dir, bin: bin, ports: make(map[string]string)}
	n := 0
	for i, block := range strings.Split(string(read(t, filepath.Join(root, name))), "\n```console\n") {
		if i == 0 {
			continue // before the first
		}
		block, _, _ = strings.Cut(block, "\n```\n")
		for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			n++
			if noCurl != nil && strings.HasPrefix(command, "curl ") {
				testkit.LeftOut(t, "$ "+command+" of "+name, noCurl)
				continue
			}
			compare := func(s string) string { return loose(shown(s)) }
			if command == "stet race" {
				// Ended by a count, and compared without figures: those are the machine's.
				command += " --saves 20000 --duration 1h"
				compare = func(s string) string { return figures.ReplaceAllString(loose(shown(s)), "N") }
			}
			if got := p.run(command); compare(got) != compare(want) {
				t.Errorf("$ %s\nprints:\n%s\nand %s says:\n%s", command, got, name, want)
			}
		}
	}
	if n < atLeast {
		t.Errorf("%s has only %d commands", name, n)
	}
}

var (
	escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
	varying = regexp.MustCompile(`just now|\d+ \w+ ago|in \d+\.\d s|[0-9a-f]{64}|pid \d+`)
	blanks  = regexp.MustCompile(`[ \t]+`)
	figures = regexp.MustCompile(`\d[\d,]*`)
)

// loose is a text without what differs from day to day, and without the width of
// columns, which depends on that.
func loose(s string) string {
	return strings.TrimSpace(blanks.ReplaceAllString(varying.ReplaceAllString(s, "…"), " "))
}

// terminal runs a shell command whose standard output is a terminal, and returns
// what it shows, without colours, and then what went to standard error.
func terminal(t *testing.T, command, dir, bin string) string {
	t.Helper()
	screen, tty := openTerminal(t)
	var messages bytes.Buffer
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, tty, &messages
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + dir, "STET_AUTHOR=ana", "TERM=xterm"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	// Reading ends with an error when the last writer is gone.
	shown, _ := io.ReadAll(screen)
	screen.Close()
	_ = cmd.Wait() // some of the commands are shown to fail
	text := strings.ReplaceAll(string(shown), "\r\n", "\n") + messages.String()
	return escapes.ReplaceAllString(text, "")
}

// openTerminal returns the two ends of a pseudo-terminal 200 columns wide.
func openTerminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200}); err != nil {
		t.Fatal(err)
	}
	return screen, tty
}
