package policy

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stet-dev/stet/internal/testkit"
)

// TestHTTPPage types the commands of docs/http.md, with the real curl to a real
// stet serve, and compares what a terminal shows with what the page shows. Any free
// port takes the place of each that the page names.
func TestHTTPPage(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		testkit.LeftOut(t, "the commands of docs/http.md", err)
		return
	}
	bin := t.TempDir()
	goCommand(t, "build", "-o", bin, "./cmd/stet")
	p := page{t: t, dir: t.TempDir(), bin: bin, ports: make(map[string]string)}
	n := 0
	for i, block := range strings.Split(string(read(t, filepath.Join(root, "docs/http.md"))), "\n```console\n") {
		if i == 0 {
			continue // before the first
		}
		block, _, _ = strings.Cut(block, "\n```\n")
		for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			got := p.run(command)
			if loose(shown(got)) != loose(want) {
				t.Errorf("$ %s\nprints:\n%s\nand the page says:\n%s", command, shown(got), want)
			}
			n++
		}
	}
	if n < 20 {
		t.Errorf("the page has only %d commands", n)
	}
}

// A page is a directory in which its commands are run.
type page struct {
	t        *testing.T
	dir, bin string
	ports    map[string]string // on the page → here
}

var (
	listens = regexp.MustCompile(`--listen 127\.0\.0\.1:(\d+)`)
	links   = regexp.MustCompile("\x1b\\]8;;.*?\x1b\\\\") // curl makes them of Location
)

// changing is what differs each time, and stands on the page as …: times, ids of
// stores, commits and requests, hashes, keys, cursors, and the program's version.
var changing = []struct {
	found   *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`), "…"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "…"},
	{regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{32}`), "…"},
	{regexp.MustCompile(`(Date|Stet-Request-Id): .*`), "$1: …"},
	{regexp.MustCompile(`"next":"[^"]*"`), `"next":"…"`},
	{regexp.MustCompile(`("queued":\d+,"version"):"[^"]*"`), `$1:"…"`},
	{regexp.MustCompile(`just now|\d+ \w+ ago`), "…"},
}

// shown is a text as the page has it.
func shown(s string) string {
	s = links.ReplaceAllString(strings.ReplaceAll(s, "\r", ""), "")
	for _, c := range changing {
		s = c.found.ReplaceAllString(s, c.instead)
	}
	return strings.TrimSpace(s)
}

// run runs a command, and returns what it shows, with the ports of the page. A
// server goes on running until the end of the test.
func (p *page) run(command string) string {
	p.t.Helper()
	if strings.HasPrefix(command, "stet serve") {
		return p.back(p.serve(command))
	}
	for port, here := range p.ports {
		command = strings.ReplaceAll(command, "localhost:"+port, "127.0.0.1:"+here)
	}
	return p.back(terminal(p.t, command, p.dir, p.bin))
}

func (p *page) back(s string) string {
	for port, here := range p.ports {
		s = strings.ReplaceAll(s, "127.0.0.1:"+here, "127.0.0.1:"+port)
	}
	return s
}

// serve starts a server, and returns what it shows until it is ready.
func (p *page) serve(command string) string {
	p.t.Helper()
	port := "7838"
	if m := listens.FindStringSubmatch(command); m != nil {
		port = m[1]
		command = strings.Replace(command, m[0], "", 1)
	}
	screen, tty := openTerminal(p.t)
	var log bytes.Buffer
	cmd := exec.Command("sh", "-c", "exec "+command+" --listen 127.0.0.1:0")
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, tty, &log
	cmd.Env = []string{"PATH=" + p.bin + ":" + os.Getenv("PATH"), "HOME=" + p.dir, "TERM=xterm"}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	tty.Close()
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			p.t.Errorf("$ %s: %v\n%s", command, err, log.String())
		}
		screen.Close()
	})
	var text strings.Builder
	for lines := bufio.NewScanner(screen); lines.Scan(); {
		line := escapes.ReplaceAllString(lines.Text(), "")
		text.WriteString(line + "\n")
		if m := regexp.MustCompile(`http://127\.0\.0\.1:(\d+)`).FindStringSubmatch(line); m != nil {
			p.ports[port] = m[1]
		}
		if strings.HasPrefix(line, "Stop:") {
			break
		}
	}
	if p.ports[port] == "" {
		p.t.Fatalf("$ %s\nshows:\n%s", command, text.String())
	}
	return text.String()
}
