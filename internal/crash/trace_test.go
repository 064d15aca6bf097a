package crash

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// traced are the calls that change what is on the disk. open is there to see which
// files are made, write for what the child says as well.
const traced = "open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,fsync,fdatasync,sync_file_range,msync,rename,renameat,renameat2,unlink,unlinkat,link,linkat"

// straceArgs make strace write a trace that parse can read.
func straceArgs(out string) []string {
	return []string{"-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1048576", "-e", "signal=none", "-e", "trace=" + traced, "-o", out}
}

// A step is the begin or the end of a system call, in the order in which strace
// has seen them.
type step struct {
	begin bool
	call  *call
}

// A call is one that changes a file of the store, or says something.
type call struct {
	name string
	path string // base name; "." is the directory
	to   string // of a rename
	off  int64  // of a write; the size of a truncation
	data []byte // of a write
	make bool   // an open that makes the file, if it is not there
	cut  bool   // an open that empties it
	said string // to standard output
	fail bool   // it has failed

	covers []*change // by a sync that has begun
	wrote  *change
}

var (
	callLine    = regexp.MustCompile(`^(\d+) +([a-z0-9_]+)\((.*)$`)
	resumedLine = regexp.MustCompile(`^(\d+) +<\.\.\. ([a-z0-9_]+) resumed>(.*)$`)
	quoted      = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	onPath      = regexp.MustCompile(`^(\d+)<((?:\\x[0-9a-f]{2}|\([a-z]+\))*)>`)
	result      = regexp.MustCompile(`\) += (-?\d+|\?)`)
)

// parse reads the trace of one process whose store is in a directory.
func parse(trace, dir string) (steps []step, err error) {
	f, err := os.Open(trace)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	open := make(map[string]*call) // by thread
	lines := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			return steps, nil // the last line may be cut
		}
		line = line[:len(line)-1]
		if m := resumedLine.FindStringSubmatch(line); m != nil {
			c := open[m[1]]
			if c == nil {
				continue
			}
			delete(open, m[1])
			if c.end(m[3]) {
				steps = append(steps, step{false, c})
			}
			continue
		}
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			continue // a signal, an exit
		}
		c, err := newCall(m[2], m[3], dir)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", trace, n, err)
		}
		if c == nil {
			continue
		}
		steps = append(steps, step{true, c})
		if strings.HasSuffix(line, "<unfinished ...>") {
			open[m[1]] = c
			continue
		}
		if c.end(m[3]) {
			steps = append(steps, step{false, c})
		}
	}
}

// end reads the result. There is none of a call that a kill came into: nobody
// knows whether it happened.
func (c *call) end(rest string) bool {
	all := result.FindAllStringSubmatch(rest, -1)
	if len(all) == 0 || all[len(all)-1][1] == "?" {
		return false
	}
	c.fail = strings.HasPrefix(all[len(all)-1][1], "-")
	return true
}

// newCall reads the arguments of a call; it is nil if it does not count.
func newCall(name, args, dir string) (*call, error) {
	c := &call{name: name}
	texts := quoted.FindAllStringSubmatch(args, -1)
	inDir := func(path string) (string, bool) {
		if path == dir {
			return ".", true
		}
		if filepath.Dir(path) != dir {
			return "", false
		}
		base := filepath.Base(path)
		// SQLite makes the index anew; the lock says who, and nothing that counts.
		return base, !strings.HasSuffix(base, "-shm") && !strings.HasSuffix(base, ".lock")
	}
	var ok bool
	switch name {
	case "open", "openat", "creat":
		if len(texts) == 0 {
			return nil, nil
		}
		if c.path, ok = inDir(unhex(texts[0][1])); !ok {
			return nil, nil
		}
		c.make = name == "creat" || strings.Contains(args, "O_CREAT")
		c.cut = name == "creat" || strings.Contains(args, "O_TRUNC")
		if !c.make && !c.cut {
			return nil, nil
		}
		return c, nil
	case "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat":
		if len(texts) == 0 {
			return nil, fmt.Errorf("%s without a path", name)
		}
		if c.path, ok = inDir(unhex(texts[0][1])); !ok {
			return nil, nil
		}
		if !strings.HasPrefix(name, "unlink") {
			if c.to, ok = inDir(unhex(texts[1][1])); !ok {
				return nil, fmt.Errorf("%s goes elsewhere", c.path)
			}
		}
		return c, nil
	}
	fd := onPath.FindStringSubmatch(args)
	if fd == nil {
		return nil, nil
	}
	path := unhex(fd[2])
	if name == "write" && fd[1] == "1" && len(texts) > 0 {
		c.said = strings.TrimSuffix(unhex(texts[0][1]), "\n")
		return c, nil
	}
	if c.path, ok = inDir(path); !ok {
		return nil, nil
	}
	var err error
	switch name {
	case "pwrite64":
		if len(texts) != 1 {
			return nil, fmt.Errorf("a write without its data: %.80s", args)
		}
		c.data = []byte(unhex(texts[0][1]))
		rest := strings.SplitN(args[strings.LastIndex(args, `"`)+1:], ",", 3)
		number := strings.TrimSpace(strings.FieldsFunc(rest[2], func(r rune) bool { return r == ')' || r == '<' })[0])
		if size, _ := strconv.Atoi(strings.TrimSpace(rest[1])); size != len(c.data) {
			return nil, fmt.Errorf("a write of %s bytes has %d", rest[1], len(c.data))
		}
		c.off, err = strconv.ParseInt(number, 10, 64)
	case "ftruncate":
		_, rest, _ := strings.Cut(args, ">, ")
		number := strings.TrimSpace(strings.FieldsFunc(rest, func(r rune) bool { return r == ')' || r == '<' })[0])
		c.off, err = strconv.ParseInt(number, 10, 64)
	case "fsync", "fdatasync":
	default:
		return nil, fmt.Errorf("%s of %s is not modelled", name, c.path)
	}
	return c, err
}

// unhex decodes \x2f\x74…
func unhex(s string) string {
	b := make([]byte, 0, len(s)/4)
	for i := 0; i+4 <= len(s); i += 4 {
		b = append(b, digit(s[i+2])<<4|digit(s[i+3]))
	}
	return string(b)
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
