package peers

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A child is a server in a process of its own, which ends with this one: it goes
// when its input does.
type child struct {
	address string // host and port
	kind    serverKind
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	log     *os.File
}

// patience is how long a server may take to begin, and to end.
const patience = 30 * time.Second

// serverEnv, set to anything, makes a program that calls [BeServer] one of the
// servers. It is no flag: the tests' program must be able to be one, too.
const serverEnv = "STET_BENCH_SERVER"

// start starts a server, which is stopped after the row's last lap.
func (e *env) start(setup serverSetup) (*child, error) {
	c, err := e.startOwn(setup)
	if err == nil {
		e.onClose(c.stop)
	}
	return c, err
}

// startOwn is start for a server that the caller stops.
//
// What the server logs goes into a file on the disk of its data, as a service's log
// does.
func (e *env) startOwn(setup serverSetup) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	setup.Dir = e.path(strings.ReplaceAll(string(setup.Kind), " ", "-"))
	if err := os.MkdirAll(setup.Dir, 0o755); err != nil {
		return nil, err
	}
	if e.profiles != "" {
		setup.Profile = filepath.Join(e.profiles, filepath.Base(e.dir)+"-"+filepath.Base(setup.Dir)+".pprof")
	}
	c := &child{kind: setup.Kind, cmd: exec.Command(exe)}
	if c.log, err = os.Create(setup.Dir + ".log"); err != nil {
		return nil, err
	}
	c.cmd.Stderr = c.log
	c.cmd.Env = append(os.Environ(), serverEnv+"=1")
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := json.Marshal(setup)
	if err != nil {
		return nil, err
	}
	reply, err := c.ask(string(line))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server %q did not begin: %w", c.kind, err), c.stop())
	}
	c.address = reply.Address
	return c, nil
}

// ask sends a line and returns what the server says to it.
func (c *child) ask(line string) (r serverReply, err error) {
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		return r, err
	}
	answer, err := c.out.ReadBytes('\n')
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(answer, &r)
}

// memory is the bytes of heap and stacks that the server has.
func (c *child) memory() (float64, error) {
	r, err := c.ask(memoryCommand)
	return float64(r.Memory), err
}

// used is the processor time that the server has used, 0 where that is not known.
func (c *child) used() (time.Duration, error) {
	r, err := c.ask(timeCommand)
	return r.Time, err
}

// stop ends the server and waits for it. The error has the end of its log.
func (c *child) stop() error {
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.in.Close()
	err := c.cmd.Wait()
	if err != nil {
		log, _ := os.ReadFile(c.log.Name())
		err = fmt.Errorf("the server %q ended badly: %w\n%s", c.kind, err, log[max(0, len(log)-2000):])
	}
	return errors.Join(err, c.log.Close())
}
