package peers

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/stet-dev/stet/httpapi"
)

// A serverKind is one of the servers that this program can be. Each runs in a
// process of its own: its heap, its garbage collector and its threads are its own,
// as they are where it is used, and what the load generator takes is not counted as
// the server's.
type serverKind string

const (
	stetServer  serverKind = "stet"         // what `stet serve` makes, on SQLite
	bareGet     serverKind = "bare get"     // writes the answer
	bareFresh   serverKind = "bare 304"     // answers 304
	bareSave    serverKind = "bare save"    // reads the body and writes the answer
	bareStreams serverKind = "bare streams" // holds connections open and writes to all of them
	etcdServer  serverKind = "etcd"         // one member
)

// A serverSetup is what a server is told when it begins: one line of JSON on its
// standard input.
type serverSetup struct {
	Kind    serverKind
	Dir     string        // an existing one, for its files
	Header  []headerField // of what a bare handler writes
	Answer  []byte        // its body
	Profile string        // where the profile of its processor time goes, "" for none
}

// Lines that a server answers: with its bytes of heap and stacks, and with the
// processor time that it has used. When its input ends, the server does.
const (
	memoryCommand = "memory"
	timeCommand   = "time"
)

// A serverReply is a line of JSON that a server says on its standard output: where it
// is reached once it is ready, and then what it was asked for.
type serverReply struct {
	Address string
	Memory  uint64
	Time    time.Duration
}

// BeServer makes this process one of the servers, if that is what it was started for,
// until its input ends. Otherwise it returns at once. A program that calls [Run] calls
// it first.
func BeServer() {
	if os.Getenv(serverEnv) == "" {
		return
	}
	signal.Ignore(os.Interrupt) // it is for the process that drives the server, whose end is this one's
	if err := beServer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// beServer is the whole program where it is a server. It returns when its input
// ends.
func beServer(in io.Reader, out io.Writer) (err error) {
	lines := bufio.NewReaderSize(in, 1<<20)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var setup serverSetup
	if err := json.Unmarshal(first, &setup); err != nil {
		return err
	}
	if setup.Profile != "" {
		stop, err := profile(setup.Profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	address, stop, err := setup.serve()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	say := json.NewEncoder(out)
	if err := say.Encode(serverReply{Address: address}); err != nil {
		return err
	}
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var reply serverReply
		switch line {
		case memoryCommand + "\n":
			reply.Memory = inUse()
		case timeCommand + "\n":
			reply.Time = processorTime()
		default:
			return fmt.Errorf("there is no command %q", line)
		}
		if err := say.Encode(reply); err != nil {
			return err
		}
	}
}

// profile writes a profile of the processor time until stop is called.
func profile(file string) (stop func() error, err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// serve begins to serve at a free port of the loopback interface.
func (s serverSetup) serve() (address string, stop func() error, err error) {
	switch s.Kind {
	case stetServer:
		return serveStet(s.Dir)
	case etcdServer:
		return serveEtcd(s.Dir)
	}
	h, err := s.bare()
	if err != nil {
		return "", nil, err
	}
	// The limits of time are those of stet's server: net/http keeps them for both.
	return listenAndServe(httpapi.NewServer(h))
}

// listenAndServe lets a server answer until stop is called.
func listenAndServe(server *http.Server) (address string, stop func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return l.Addr().String(), func() error {
		err := server.Close()
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}

// inUse is what the process has of heap and stacks, in spans and so with what is
// lost between objects, after what nobody needs was collected. Twice: a finalizer's
// object goes with the second collection.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
