//go:build unix

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
)

// startSave sends a save without its body, and returns when the server waits for that.
func startSave(t *testing.T, s *server) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	io.WriteString(c, "POST /v1/prompts/a/versions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n")
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusContinue {
		t.Fatalf("%v, %v", res, err)
	}
	return c, r
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStopFinishesWhatWasAccepted stops a server that has half of a save: it takes
// no more connections, says that it is not ready, takes the other half, answers,
// and ends well; and the version is there.
func TestStopFinishesWhatWasAccepted(t *testing.T) {
	s := testServer(t)
	c, r := startSave(t, s)
	polled := make(chan string, 1)
	go func() { // as the server, which it ends with
		res, err := http.Get(s.url + "/v1/changes?wait=60&prefix=nothing")
		if err != nil {
			polled <- err.Error()
			return
		}
		polled <- res.Status
		res.Body.Close()
	}()
	for !strings.Contains(fetch(t, s.url+"/metrics"), "\nstet_subscribers 1\n") {
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	if _, err := s.await("stopping"); err != nil {
		t.Fatal(err)
	}
	for { // before it has ended: then the port may be another's
		more, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			break
		}
		more.Close()
	}
	io.WriteString(c, `{"text":"a"}`)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("the save that was in hand: %v, %v", res, err)
	}
	if err := s.wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, s.logged())
	}
	if status := <-polled; status != "200 OK" {
		t.Errorf("a long poll ended with %s", status)
	}
	left, _ := filepath.Glob(filepath.Join(s.cmd.Dir, "*"))
	a, _ := testApp(t, "sqlite:"+filepath.Join(s.cmd.Dir, "stet.db"))
	if code := a.report((&getCmd{Ref: "a@1.0.0"}).Run(a)); code != exitDone {
		t.Errorf("the version is not there: exit code %d, files %v", code, left)
	}
	if _, err := os.Stat(filepath.Join(s.cmd.Dir, "stet.db.sock")); err == nil {
		t.Error("the socket is still there")
	}
}

// TestStopIsBounded stops a server while a request never comes to its end.
func TestStopIsBounded(t *testing.T) {
	s := testServer(t, "--grace", "200ms")
	startSave(t, s)
	start := time.Now()
	if err := s.end(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, s.logged())
	}
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("it ended after %v, before its grace", took)
	}
	if !strings.Contains(s.logged(), "cut off") {
		t.Errorf("it does not say that it cut something off:\n%s", s.logged())
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	s := testServer(t, "--grace", "1h")
	startSave(t, s)
	s.cmd.Process.Signal(syscall.SIGTERM)
	if _, err := s.await("stopping"); err != nil {
		t.Fatal(err)
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for ended := false; !ended; {
		select {
		case <-again.C:
			s.cmd.Process.Signal(syscall.SIGTERM)
		case <-s.exited:
			ended = true
		}
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 128+15 { // 0 if it ends because the half save was given up
		t.Errorf("it ended with %d", code)
	}
}

// TestDeadServerIsReplaced kills a server and starts another: the socket that it
// left is nothing to talk to, and no obstacle.
func TestDeadServerIsReplaced(t *testing.T) {
	s := testServer(t)
	s.cmd.Process.Kill()
	<-s.exited
	socket := filepath.Join(s.cmd.Dir, "stet.db.sock")
	if _, err := os.Lstat(socket); err != nil {
		t.Fatal("a server that was killed left no socket: this test checks nothing")
	}
	a, messages := testApp(t, "sqlite:"+filepath.Join(s.cmd.Dir, "stet.db"))
	if code := a.report((&listCmd{}).Run(a)); code != exitDone || messages() != "" {
		t.Errorf("a command after it: %d, %q", code, messages())
	}
	next, err := startServer(s.cmd.Dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	defer next.end()
	if code := a.report((&listCmd{}).Run(a)); code != exitDone || !strings.Contains(messages(), "using the running server") {
		t.Errorf("a command beside the next: %d, %q", code, messages())
	}
}

// TestWatchEndsWithASignal ends a watch that waits for more.
func TestWatchEndsWithASignal(t *testing.T) {
	s := testServer(t)
	a, _ := testApp(t, s.url)
	if _, err := a.commit(by{}, stet.Op{Save: &stet.Draft{PromptID: "a", Text: "A"}}); err != nil {
		t.Fatal(err)
	}
	watch := exec.Command("stet", "watch", "--since", "0", "--store", s.url)
	var stderr strings.Builder
	watch.Stderr = &stderr
	out, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, `{"revision":1,`) {
		t.Errorf("the first line is %q, %v", line, err)
	}
	watch.Process.Signal(syscall.SIGINT)
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("and then %q, %v", rest, err)
	}
	if err := watch.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("it ended with %v, %q", err, stderr.String())
	}
}

// TestFullServerRevokes holds every connection that a server takes which may have few
// files open, and more: its own callers still come in, and a key that is revoked is
// refused, on the connection that it was shown on as well.
func TestFullServerRevokes(t *testing.T) {
	dir := t.TempDir()
	secret := ""
	if err := keys.Update(t.Context(), filepath.Join(dir, "stet.db.keys"), func(f *keys.File) (err error) {
		_, secret, err = f.Create(keys.Key{Name: "ci", Role: keys.Writer, Prompts: []string{"*"}}, time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("stet")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "stet"), []byte("#!/bin/sh\nulimit -n 128\nexec '"+program+"' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := startServer(dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); <-s.exited })
	save := func(c *http.Client) int {
		t.Helper()
		r, err := http.NewRequest("POST", s.url+"/v1/prompts/a/versions", strings.NewReader(`{"text":"a"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+secret)
		res, err := c.Do(r)
		if err != nil {
			t.Fatalf("a save got no answer: %v\n%s", err, s.logged())
		}
		res.Body.Close()
		return res.StatusCode
	}
	old := &http.Client{Transport: &http.Transport{}}
	defer old.CloseIdleConnections()
	if status := save(old); status != http.StatusCreated {
		t.Fatalf("a save: %d", status)
	}
	for i := range 300 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 { // who asks for what is free, and who never comes to the end of a header
			io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		} else {
			io.WriteString(c, "GET /v1/prompts HTTP/1.1\r\nX-A: "+strings.Repeat("a", 10<<10))
		}
	}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if status := save(fresh); status != http.StatusCreated {
		t.Errorf("a save on a new connection: %d", status)
	}
	if err := keys.Update(t.Context(), filepath.Join(dir, "stet.db.keys"), func(f *keys.File) error {
		_, err := f.Revoke("ci", time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for save(old) != http.StatusUnauthorized {
		<-again.C
	}
	if strings.Contains(s.logged(), "too many open files") {
		t.Errorf("it has no files left:\n%s", s.logged())
	}
}
