package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"github.com/stet-dev/stet"
)

// A hostile is a request that nobody should send, and what is answered.
type hostile struct {
	what string
	line string // method and target, of HTTP/1.1
	head string // headers beside Host, Connection, Content-Length and JSON's Content-Type
	body string
	raw  string // all of it, in place of line, head and body
	// want is STATUS or STATUS CODE for each answer, with commas between. The code is -
	// if it is net/http that answers, which knows of no problem+json; nothing at all is
	// "nothing".
	want string
}

// minHostile is how many there must be at least.
const minHostile = 200

// hostileMaxBody is the limit of the target's bodies: over that of a commit, so that the
// store refuses one that is too large, and so small that the tests need little memory.
const hostileMaxBody = 10 << 20

// ownAnswers are the statuses that net/http answers with by itself. Two are above
// 499, and right: 501 (RFC 9112, section 6.1) for a transfer coding that nobody here
// knows, 505 for a version of HTTP. Neither has reached stet, so nothing was applied.
var ownAnswers = []int{200, 400, 417, 431, 501, 505}

// TestHostile sends what nobody should over raw connections to a server as stet
// serve has it. Each request is answered with what is documented; none changes the
// store, leaves something behind, or makes a handler panic.
func TestHostile(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var rows []hostile
	for _, group := range [][]hostile{
		hostilePaths(), hostileSelectors(), hostileQueries(), hostileMethods(), hostileHeaders(), hostileConditions(),
		hostileJSON(), hostileMembers(), hostileBodies(), hostileStreams(),
		hostileLines(), hostileHosts(), hostileFraming(), hostileGarbage(),
	} {
		rows = append(rows, group...)
	}
	slow, keyed := hostileSlow(), hostileKeys()
	if n := len(rows) + len(slow) + len(keyed); n < minHostile {
		t.Errorf("%d hostile requests; there must be %d", n, minHostile)
	} else {
		t.Logf("%d hostile requests", n)
	}
	t.Run("usual", func(t *testing.T) {
		newTarget(t, Options{MaxBody: hostileMaxBody}).attack(rows)
	})
	t.Run("slow", func(t *testing.T) { // as slow as the limits that are shipped
		synctest.Test(t, func(t *testing.T) {
			l := newPipeListener()
			newTargetOn(t, Options{}, l, func() (net.Conn, error) { return l.dial(t.Context(), "", "") }).attack(slow)
		})
	})
	t.Run("keys", func(t *testing.T) {
		newTarget(t, Options{Keys: ring(t), Limits: Limits{attemptRate: -1}}).attack(keyed)
	})
}

// attack sends the rows one by one, and checks that the store has not changed.
func (x *target) attack(rows []hostile) {
	x.t.Helper()
	tail, err := x.store.Tail(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, row := range rows {
		if row.what == "" || seen[row.what] {
			x.t.Errorf("%q is the name of two rows, or of none", row.what)
		}
		seen[row.what] = true
		for _, wrong := range x.send(row) {
			x.t.Errorf("%s (%.80q): %s", row.what, row.line+row.raw, wrong)
		}
		if now, err := x.store.Tail(x.t.Context()); err != nil || now != tail {
			x.t.Errorf("%s: the store is at revision %d, not %d any more (%v)", row.what, now.Revision, tail.Revision, err)
			tail = now
		}
	}
	x.closed()
	report, err := x.store.Verify(context.Background(), stet.VerifyOptions{Expect: tail.Hash})
	if err != nil || len(report.Problems) > 0 || report.Revision != tail.Revision {
		x.t.Errorf("after all that the store is %+v, %v", report, err)
	}
	if wrong := x.send(hostile{line: "GET /healthz", want: "200"}); wrong != nil {
		x.t.Errorf("the server does not answer any more: %v", wrong)
	}
	x.closed()
}

// bytes are what a row sends.
func (row *hostile) bytes() string {
	if row.raw != "" {
		return row.raw
	}
	s := row.line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	if method, _, _ := strings.Cut(row.line, " "); (row.body != "" || method == "POST" || method == "PUT") && !strings.Contains(row.head, "Content-Type") {
		s += "Content-Type: application/json\r\n"
	}
	if row.body != "" {
		s += "Content-Length: " + strconv.Itoa(len(row.body)) + "\r\n"
	}
	if row.head != "" {
		s += strings.ReplaceAll(row.head, "\n", "\r\n") + "\r\n"
	}
	return s + "\r\n" + row.body
}

// send sends a row over a connection of its own, and returns what is wrong with
// what comes back.
func (x *target) send(row hostile) (wrong []string) {
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	before := x.log.len()
	conn, err := x.connect()
	if err != nil {
		return []string{err.Error()}
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Minute)) // a hang is told; the largest body takes its time on a machine with other work
	bytes, unfinished := strings.CutSuffix(x.fill.Replace(row.bytes()), "…")
	finish := func() {
		if row.raw != "" && !unfinished {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}
	// To net/http the end of what a client sends is the end of the client: what is
	// to be done is asked for until it is done.
	early := !strings.Contains(row.want, "200")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, bytes) // it may be cut off in the middle
		if early {
			finish()
		}
	}()
	requests := bufio.NewReader(strings.NewReader(bytes))
	answers := bufio.NewReader(conn)
	for want := range strings.SplitSeq(row.want, ", ") {
		if want == "nothing" {
			continue
		}
		if want == "100" { // go on
			if res, err := http.ReadResponse(answers, nil); err != nil || res.StatusCode != 100 {
				report("no 100: %v", err)
			}
			continue
		}
		req, _ := http.ReadRequest(requests)
		res, err := http.ReadResponse(answers, req)
		if err != nil {
			report("no answer, and not %s: %v", want, err)
			break
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			report("the answer is cut short: %v", err)
		}
		given := ""
		if req != nil {
			b, _ := io.ReadAll(req.Body) // as much of it as there is
			given = string(b)
		}
		for _, w := range x.hold(want, req, given, res, string(body)) {
			report("%s: %.300s", w, body)
		}
	}
	if !early {
		<-sent
		finish()
	}
	if rest, err := io.ReadAll(answers); len(rest) > 0 {
		report("more is answered: %.300q", rest)
	} else if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		report("the connection stays open")
	}
	conn.Close()
	<-sent
	if log := x.log.from(before); strings.Contains(log, "panic") || strings.Contains(log, "level=ERROR") {
		report("the log says: %s", log)
	}
	return wrong
}

// hold checks an answer against what is wanted, and against the contract.
func (x *target) hold(want string, req *http.Request, given string, res *http.Response, body string) (wrong []string) {
	status, code, _ := strings.Cut(want, " ")
	own := code == "-"
	if got := strconv.Itoa(res.StatusCode); got != status {
		wrong = append(wrong, "the answer is "+got+", not "+status)
	}
	switch {
	case own:
		if res.Header.Get(headerRequestID) != "" || !slices.Contains(ownAnswers, res.StatusCode) {
			wrong = append(wrong, "net/http does not answer so")
		}
		return wrong
	case res.Header.Get(headerRequestID) == "":
		return append(wrong, "no handler answered")
	case res.StatusCode >= 400:
		wrong = append(wrong, problemOf(res, body, code, req != nil && req.Method == http.MethodHead)...)
	}
	if req == nil || x.api.o.Keys != nil {
		return wrong
	}
	if pattern := x.api.patternOf(req); strings.TrimPrefix(pattern, "/") != "" || res.StatusCode != http.StatusForbidden { // a foreign Host's
		wrong = append(wrong, x.rules.judge(&exchange{req: req, reqBody: given, res: res, body: body}, pattern)...)
	}
	return wrong
}

// problemOf returns what is wrong with a problem that should have a code.
func problemOf(res *http.Response, body, code string, head bool) (wrong []string) {
	if kind := res.Header.Get("Content-Type"); kind != "application/problem+json" {
		wrong = append(wrong, "the problem is "+kind)
	}
	if res.StatusCode == http.StatusMethodNotAllowed && res.Header.Get("Allow") == "" {
		wrong = append(wrong, "405 without Allow")
	}
	if head {
		return wrong
	}
	var p struct {
		Status       int
		Code, Detail string
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return append(wrong, err.Error())
	}
	if p.Code != code || p.Status != res.StatusCode {
		wrong = append(wrong, "the code is "+p.Code+", not "+code)
	}
	if p.Detail == "" || strings.ContainsFunc(p.Detail, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }) {
		wrong = append(wrong, fmt.Sprintf("the detail is nothing to show to anybody: %q", p.Detail))
	}
	if len(p.Detail) > 4<<10 {
		wrong = append(wrong, fmt.Sprintf("the detail has %d bytes", len(p.Detail)))
	}
	return wrong
}
