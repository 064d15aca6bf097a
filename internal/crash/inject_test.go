package crash

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/core"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/sqlite"
)

// scriptChild opens a store, commits what the fault tests commit, and says what
// it was told.
func scriptChild(args []string) error {
	s, err := sqlite.Open(background, args[0], &sqlite.Options{Options: core.Options{CheckpointEvery: 4, CacheBytes: -1}})
	if err != nil {
		fmt.Printf("unopened %s\n", stet.CodeOf(err))
		return nil
	}
	l := load{faultSeed, prompts}
	for _, i := range script(l, 1) {
		done, err := s.Commit(background, l.commit(i))
		switch code := stet.CodeOf(err); code {
		case "":
			fmt.Printf("ack %s %d %s\n", i, done.Revision, sum(done.Results))
		case stet.CodeConflict, stet.CodeNotFound:
			fmt.Printf("refused %s %s\n", i, code)
		case stet.CodeUnavailable, stet.CodeUnknown:
			fmt.Printf("%s %s\n", code, i)
		default:
			return err
		}
		// A connection for reading is opened when it is needed first, which
		// cannot go on without files.
		if err := new(run).reads(s); err != nil && !strings.Contains(err.Error(), "unable to open database file") {
			return fmt.Errorf("after %s: %w", i, err)
		}
	}
	_ = s.Close() // it says that it could not
	return nil
}

// take takes in what scriptChild has said.
func (r *run) take(out []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if f[0] == "unopened" {
			r.opened = false
			continue
		}
		i, err := parseID(f[1])
		if err != nil {
			return err
		}
		switch f[0] {
		case "ack":
			a := answer{sum: f[3]}
			if _, err := fmt.Sscan(f[2], &a.revision); err != nil {
				return err
			}
			r.told[i] = a
		case "refused":
			r.refused[i] = stet.Code(f[2])
		case string(stet.CodeUnavailable):
			r.failed[i] = true
		case string(stet.CodeUnknown):
			r.unknown[i] = true
		}
	}
	return lines.Err()
}

// TestInjectedErrors lets system calls fail: those that Go makes as well, and with
// the errors that a system gives.
func TestInjectedErrors(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		testkit.LeftOut(t, "system calls that fail", err)
		return
	}
	if raced {
		notRaced(t)
		return
	}
	// strace counts calls a thread, so that this is a sample: TestFaults is not.
	l := load{faultSeed, prompts}
	root := memoryDir(t)
	told := killedStore(t, l, root)
	for _, inject := range []struct {
		calls, errno string
		stride       int
	}{
		{"fsync,fdatasync", "EIO", 4},
		{"pwrite64", "EIO", 16},
		{"pwrite64", "ENOSPC", 16},
		{"ftruncate", "EIO", 2},
		{"rename,renameat,renameat2", "EIO", 1},
		{"unlink,unlinkat", "EACCES", 1},
		{"open,openat", "EMFILE", 4},
		{"mkdir,fchmod,fchmodat", "EPERM", 1},
	} {
		stride := inject.stride
		if *long {
			stride = 1
		}
		start := time.Now()
		runs, failed, unknown, unopened := 0, 0, 0, 0
		for _, born := range []bool{true, false} {
			for n := 1; ; n += stride {
				dir := filepath.Join(root, "injected")
				if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, "stet.db")
				r := &run{ledger: *newLedger(l), failed: make(map[id]bool), unknown: make(map[id]bool), opened: true}
				if !born {
					if err := copyFiles(filepath.Join(root, "stet.db"), path); err != nil {
						t.Fatal(err)
					}
					maps.Copy(r.told, told)
				}
				trace := filepath.Join(root, "trace")
				args := []string{"-f", "--seccomp-bpf", "-qq", "-o", trace, "-e", "trace=" + inject.calls, "-e", "signal=none",
					"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", inject.calls, inject.errno, n)}
				for _, name := range []string{"", "/stet.db", "/stet.db-wal", "/stet.db.new", "/stet.db.new-journal", "/stet.db-journal", "/stet.db.lock"} {
					args = append(args, "-P", dir+name)
				}
				plain := testkit.Child(t.Context(), t, "script", path)
				cmd := exec.CommandContext(t.Context(), "strace", append(append(args, plain.Path), plain.Args[1:]...)...)
				cmd.Env = append(plain.Env, "GOMAXPROCS=1")
				var said bytes.Buffer
				cmd.Stderr = &said
				out, err := cmd.Output()
				if err == nil {
					err = r.take(out)
				}
				if err == nil {
					err = r.holdsAfter(path)
				}
				what, _ := os.ReadFile(trace)
				if err != nil {
					t.Errorf("%s of %s, call %d, new: %t: %v\n%s\n%s", inject.errno, inject.calls, n, born, err, said.String(), injected(what))
				}
				if injected(what) == "" {
					break
				}
				runs++
				failed, unknown = failed+len(r.failed), unknown+len(r.unknown)
				if !r.opened {
					unopened++
				}
			}
		}
		report(t, "injected: %s of %s: %d runs, one call in %d (%.0f s); in %d the store did not open; commits failed %d, unknown %d",
			inject.errno, inject.calls, runs, stride, time.Since(start).Seconds(), unopened, failed, unknown)
	}
}

// injected returns the lines of a trace with a call that failed on demand.
func injected(trace []byte) string {
	var lines []string
	for line := range strings.Lines(string(trace)) {
		if strings.Contains(line, "(INJECTED)") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
