package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/httpapi/keys"
	"github.com/stet-dev/stet/internal/testkit"
	"github.com/stet-dev/stet/memory"
)

// maxPeak is the most memory, in bytes, that a server may ever have had resident,
// whatever is asked of it, beside what its store has.
const maxPeak = 512 << 20

// An attack is a request that takes as much memory as it can, made many times at once.
type attack struct {
	what   string
	key    string // the role
	times  int
	method string
	path   string
	body   func() []byte
	status []int // all that may be answered
}

func list(name, item string, n int) func() []byte {
	return func() []byte {
		return []byte(`{"` + name + `":[` + strings.Repeat(item+",", n-1) + item + `]}`)
	}
}

var attacks = []attack{
	{"17 million empty operations, of one who may not commit", "reader", 5, "POST", "/v1/commits", list("ops", "{}", (DefaultMaxBody-20)/3), []int{403}},
	{"17 million empty operations", "writer", 5, "POST", "/v1/commits", list("ops", "{}", (DefaultMaxBody-20)/3), []int{413, 429, 503}},
	{"a million empty references", "reader", 40, "POST", "/v1/get", list("refs", `""`, maxGetBody/3-10), []int{413, 429, 503}},
	{"a million empty labels in a draft", "writer", 16, "POST", "/v1/prompts/new/versions", list("labels", `""`, 1_000_000), []int{413, 429, 503}},
	{"100,000 empty variables", "reader", 200, "POST", "/v1/prompts/text/versions/latest/render", members(`{"variables":{`, `""`, 100_000, "}}"), []int{413, 429, 503}},
	{"two million members of metadata", "writer", 6, "POST", "/v1/prompts/new/versions", members(`{"text":"x","metadata":{`, "1", 2_000_000, "}}"), []int{400, 413, 429, 503}},
	{"eight texts of a megabyte", "writer", 24, "POST", "/v1/commits", func() []byte {
		op := `{"save":{"prompt_id":"new","text":"` + strings.Repeat("x", 1<<20-1000) + `"}}`
		return list("ops", op, 7)()
	}, []int{200, 429, 503}},
	{"a text of which each byte is escaped", "writer", 32, "POST", "/v1/prompts/new/versions", func() []byte {
		return []byte(`{"text":"` + strings.Repeat(`\u0001`, 170_000) + `"}`)
	}, []int{201, 429, 503}},
	{"30 texts of a megabyte", "reader", 64, "POST", "/v1/get", list("refs", `"text"`, 30), []int{200, 429, 503}},
	{"180 texts of a megabyte once they are escaped", "reader", 12, "POST", "/v1/get", list("refs", `"controls"`, 180), []int{413, 429, 503}},
	{"pages of such texts", "reader", 12, "GET", "/v1/prompts/controls/versions", nil, []int{200, 429, 503}},
	{"changes with such texts", "reader", 12, "GET", "/v1/changes?texts=true", nil, []int{200, 429, 503}},
	{"how two texts of half a million lines differ", "reader", 12, "GET", "/v1/prompts/lines/diff?from=1.0.0&to=latest", nil, []int{200, 429, 503}},
	{"a value of a megabyte, ten times", "reader", 16, "POST", "/v1/prompts/values/versions/latest/render", func() []byte {
		return []byte(`{"variables":{"v":"` + strings.Repeat(`\u0001`, 1<<20-1000) + `"}}`)
	}, []int{200, 413, 429, 503}},
}

func members(before, value string, n int, after string) func() []byte {
	return func() []byte {
		b := []byte(before)
		for i := range n {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = strconv.AppendInt(b, int64(i), 10)
			b = append(b, `":`...)
			b = append(b, value...)
		}
		return append(b, after...)
	}
}

// TestNoRequestTakesMuchMemory makes each attack on a server of its own, with the keys
// of two callers, and asks how much memory that has had at most.
func TestNoRequestTakesMuchMemory(t *testing.T) {
	if _, err := peak(); err != nil || raceDetector {
		testkit.LeftOut(t, "the peak of memory", fmt.Sprint("it is not known, or the race detector has its own: ", err))
		return
	}
	file := filepath.Join(t.TempDir(), "keys")
	secrets := make(map[string][]string)
	if err := keys.Update(t.Context(), file, func(f *keys.File) error {
		for _, role := range []keys.Role{keys.Reader, keys.Writer} {
			for i := range 2 {
				_, secret, err := f.Create(keys.Key{Name: fmt.Sprint(role, i), Role: role, Prompts: []string{"*"}}, time.Now())
				if err != nil {
					return err
				}
				secrets[string(role)] = append(secrets[string(role)], secret)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, a := range attacks {
		t.Run(a.what, func(t *testing.T) {
			cmd := testkit.Child(t.Context(), t, "attacked", file)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			says := bufio.NewReader(out)
			line, err := says.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			var before, after int64
			var address string
			fmt.Sscan(line, &address, &before)
			var body []byte
			if a.body != nil {
				body = a.body()
			}
			transport := &http.Transport{DisableCompression: true}
			var all sync.WaitGroup
			var mu sync.Mutex
			answers := make(map[int]int)
			for i := range a.times {
				all.Go(func() {
					req, _ := http.NewRequestWithContext(t.Context(), a.method, "http://"+address+a.path, bytes.NewReader(body))
					req.Header.Set("Authorization", "Bearer "+secrets[a.key][i%2])
					req.Header.Set("Content-Type", "application/json")
					res, err := transport.RoundTrip(req)
					if err != nil {
						return // it was refused while it was sent
					}
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
					mu.Lock()
					defer mu.Unlock()
					answers[res.StatusCode]++
				})
			}
			all.Wait()
			transport.CloseIdleConnections()
			in.Close()
			line, err = says.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			fmt.Sscan(line, &after)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			t.Logf("%d MB at most, %d MB before; answers %v", after>>20, before>>20, answers)
			for status, n := range answers {
				if !slices.Contains(a.status, status) {
					t.Errorf("%d answers %d; want %v", n, status, a.status)
				}
			}
			if after-before > maxPeak {
				t.Errorf("%d MB at most; may have %d", after>>20, maxPeak>>20)
			}
		})
	}
}

// attacked serves a store until its standard input ends, and then says how much memory
// it has had at most. Its argument is the file of keys.
func attacked(args []string) error {
	store, err := memory.Open(nil)
	if err != nil {
		return err
	}
	const megabyte = 1<<20 - 1000
	lines := func(from int) string {
		var b strings.Builder
		for i := from; b.Len() < megabyte*2/3; i += 2 {
			b.WriteString(strconv.Itoa(i%10) + "\n")
		}
		return b.String()
	}
	for _, d := range []stet.Draft{
		{PromptID: "text", Text: strings.Repeat("x", megabyte)}, {PromptID: "values", Text: strings.Repeat("{{v}} ", 10)},
		{PromptID: "lines", Text: lines(0)}, {PromptID: "lines", Text: lines(1)},
	} {
		if _, err := store.Save(context.Background(), d); err != nil {
			return err
		}
	}
	for i := range 48 {
		if _, err := store.Save(context.Background(), stet.Draft{PromptID: "controls", Text: strings.Repeat("\x01", megabyte/6-i)}); err != nil {
			return err
		}
	}
	ring, err := keys.Open(args[0], nil)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	api := New(store, &Options{Keys: ring})
	go NewServer(api).Serve(l)
	debug.FreeOSMemory()
	before, err := peak()
	if err != nil {
		return err
	}
	fmt.Println(l.Addr(), before)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	after, err := peak()
	fmt.Println(after)
	return err
}

var highWater = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peak returns how much memory this process has had resident at most.
func peak() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		return 0, fmt.Errorf("/proc/self/status does not say it")
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	return n << 10, err
}
