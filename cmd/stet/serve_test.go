package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// An output is what a process writes, while it does.
type output struct {
	wrote chan struct{} // gets one at each write

	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.wrote <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// A server is a stet serve that runs, in a process of its own.
type server struct {
	cmd    *exec.Cmd
	stdout output
	log    output
	url    string
	exited chan struct{}
	err    error // of the process, once it has exited
	wrote  chan struct{}
}

// startServer starts a server on a free port and returns when it is ready.
func startServer(dir string, env []string, args ...string) (*server, error) {
	s := &server{exited: make(chan struct{}), wrote: make(chan struct{}, 1)}
	s.stdout.wrote, s.log.wrote = s.wrote, s.wrote
	path := ""
	for _, v := range env {
		if list, ok := strings.CutPrefix(v, "PATH="); ok { // the last counts
			path = list
		}
	}
	program := "stet"
	for _, d := range filepath.SplitList(path) {
		if p, err := exec.LookPath(filepath.Join(d, "stet")); err == nil {
			program = p
			break
		}
	}
	s.cmd = exec.Command(program, append([]string{"serve", "--log", "json"}, args...)...)
	s.cmd.Dir, s.cmd.Env = dir, append([]string{"STET_LISTEN=127.0.0.1:0"}, env...)
	s.cmd.Stdout = &s.stdout
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&s.log, lines.Text())
		}
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	m, err := s.await("ready")
	if err != nil {
		return nil, err
	}
	s.url, _ = m["address"].(string)
	return s, nil
}

// await returns the first line of the log with a message.
func (s *server) await(message string) (found map[string]any, err error) {
	err = s.until(func() bool {
		for line := range strings.Lines(s.logged()) {
			m := make(map[string]any)
			if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == message {
				found = m
				return true
			}
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("it never said %q: %w", message, err)
	}
	return found, nil
}

// printed returns the first line that the server prints. It comes another way than the
// log, and may be here later than what was logged after it.
func (s *server) printed() (line string, err error) {
	err = s.until(func() (ok bool) {
		line, _, ok = strings.Cut(s.stdout.String(), "\n")
		return ok
	})
	return line, err
}

// until returns when something is so of what the server has written.
func (s *server) until(so func() bool) error {
	for !so() {
		select {
		case <-s.wrote:
		case <-s.exited:
			if so() { // now all that it wrote is here
				return nil
			}
			return fmt.Errorf("the server ended (%v):\n%s", s.err, s.logged())
		}
	}
	return nil
}

func (s *server) logged() string { return s.log.String() }

// end tells the server to stop and waits until it has.
func (s *server) end() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.wait()
}

func (s *server) wait() error {
	<-s.exited
	return s.err
}

// servers are those of one script, by name.
type servers map[string]*server

// setupServers lets a script start servers.
func setupServers(e *testscript.Env) {
	all := make(servers)
	e.Values["servers"] = all
	e.Defer(func() {
		for _, s := range all {
			s.cmd.Process.Kill()
			<-s.exited
		}
	})
}

// serve starts a server: serve NAME FLAG…. The variable NAME is its URL then,
// and NAME_PID its process.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: serve NAME FLAG…")
	}
	env := []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "GORACE=" + ts.Getenv("GORACE"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	for _, v := range []string{"STET_STORE", "STET_LISTEN", "STET_KEYS", "STET_LOG_LEVEL", "STET_MAX_BODY", "STET_TLS_CERT", "STET_TLS_KEY", "STET_INSECURE_HTTP", "STET_HOST", "STET_CORS", "STET_GRACE", "STET_RATE"} {
		if x := ts.Getenv(v); x != "" {
			env = append(env, v+"="+x)
		}
	}
	s, err := startServer(ts.MkAbs("."), env, args[1:]...)
	ts.Check(err)
	ts.Value("servers").(servers)[args[0]] = s
	ts.Setenv(args[0], s.url)
	ts.Setenv(args[0]+"_PID", fmt.Sprint(s.cmd.Process.Pid))
}

// ended stops a server, which must end well, and leaves its log in NAME.log and
// what it printed in NAME.out: ended NAME.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ended NAME")
	}
	all := ts.Value("servers").(servers)
	s := all[args[0]]
	if s == nil {
		ts.Fatalf("there is no server %s", args[0])
	}
	delete(all, args[0])
	ts.Check(s.end())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".log"), []byte(s.logged()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(s.stdout.String()), 0o600))
}

// testServer starts a server of a store in an empty directory, for a test.
func testServer(t *testing.T, args ...string) *server {
	t.Helper()
	s, err := startServer(t.TempDir(), os.Environ(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); <-s.exited })
	return s
}
