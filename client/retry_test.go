package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
)

// A diary notes when requests came, and with which commit ids.
type diary struct {
	mu    sync.Mutex
	begun time.Time
	at    []time.Duration
	ids   []string
}

func (d *diary) note(r *http.Request) (n int) {
	var c struct{ ID string }
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &c)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun.IsZero() {
		d.begun = time.Now()
	}
	d.at, d.ids = append(d.at, time.Since(d.begun)), append(d.ids, c.ID)
	return len(d.at)
}

func (d *diary) times() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.at)
}

const ms = time.Millisecond

const unavailable = `{"code":"unavailable","detail":"Not now."}`

func delete1() stet.Commit {
	return stet.Commit{Ops: []stet.Op{{Delete: &stet.Delete{PromptID: "a"}}}}
}

// deleted is the answer to delete1.
func deleted(w http.ResponseWriter, id string) {
	fmt.Fprintf(w, `{"id":%q,"revision":3,"time":"2026-01-01T00:00:00.000000Z","results":[{"prompt_id":"a"}],"versions":[null]}`, id)
}

func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		rand float64
		want []time.Duration
	}{
		{0, []time.Duration{0, 25 * ms, 75 * ms, 175 * ms, 375 * ms, 775 * ms, 1575 * ms, 2575 * ms}},
		{0.5, []time.Duration{0, 37500 * time.Microsecond, 112500 * time.Microsecond, 262500 * time.Microsecond, 562500 * time.Microsecond, 1162500 * time.Microsecond, 2362500 * time.Microsecond, 3862500 * time.Microsecond}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			f := open(t, client.Options{Rand: func() float64 { return tt.rand }}, func(w http.ResponseWriter, r *http.Request) {
				d.note(r)
				refusal(w, 503, unavailable)
			})
			_, err := f.store.Get(t.Context(), "a")
			if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "Not now.") {
				t.Errorf("the error is %v", err)
			}
			if got := d.times(); !slices.Equal(got, tt.want) {
				t.Errorf("attempts came at %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for header, least := range map[string]time.Duration{"3": 3 * time.Second, "Sat, 01 Jan 2000 00:00:05 GMT": 4 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
				if d.note(r) == 1 {
					w.Header().Set("Retry-After", header)
					w.Header().Set("Date", "Sat, 01 Jan 2000 00:00:01 GMT")
					refusal(w, 429, `{"code":"rate_limited","detail":"Slower."}`)
					return
				}
				refusal(w, 404, `{"code":"not_found","detail":"None."}`)
			})
			if _, err := f.store.Get(t.Context(), "a"); stet.CodeOf(err) != stet.CodeNotFound {
				t.Errorf("the error is %v", err)
			}
			if got := d.times(); len(got) != 2 || got[1] < least || got[1] > least+50*ms {
				t.Errorf("with Retry-After %q attempts came at %v", header, got)
			}
		})
	}
}

// A caller is not kept past its deadline, nor for a wait that would end behind it,
// nor for as long as a server likes.
func TestDeadline(t *testing.T) {
	for _, tt := range []struct {
		after    string
		deadline time.Duration
		least    int // attempts
		most     time.Duration
	}{
		{"", 500 * ms, 4, 500 * ms},
		{"2", time.Second, 1, 0},
		{"3600", 0, 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var d diary
			f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
				d.note(r)
				if tt.after != "" {
					w.Header().Set("Retry-After", tt.after)
				}
				refusal(w, 503, unavailable)
			})
			ctx := t.Context()
			if tt.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				defer cancel()
			}
			begun := time.Now()
			_, err := f.store.Commit(ctx, delete1())
			if took := time.Since(begun); took > tt.most {
				t.Errorf("%+v: it took %v", tt, took)
			}
			if stet.CodeOf(err) != stet.CodeUnavailable || len(d.times()) < tt.least {
				t.Errorf("%+v: after %d attempts the error is %v", tt, len(d.times()), err)
			}
		})
	}
}

// What may have happened is unknown, until the store itself has said.
func TestUnknown(t *testing.T) {
	lost := func(http.ResponseWriter) { hangUp() }
	say := func(status int, code string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			refusal(w, status, fmt.Sprintf(`{"code":%q,"detail":"So it is.","op":0}`, code))
		}
	}
	raw := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { http.Error(w, "oops", status) }
	}
	for name, tt := range map[string]struct {
		answers []func(http.ResponseWriter)
		code    stet.Code
	}{
		"lost, then refused for good":       {[]func(http.ResponseWriter){lost, say(409, "conflict")}, stet.CodeConflict},
		"lost, then not found":              {[]func(http.ResponseWriter){lost, say(404, "not_found")}, stet.CodeNotFound},
		"lost, then unavailable":            {[]func(http.ResponseWriter){lost, say(503, "unavailable")}, stet.CodeUnknown},
		"lost, then forbidden":              {[]func(http.ResponseWriter){lost, say(403, "forbidden")}, stet.CodeUnknown},
		"lost, then unauthorized":           {[]func(http.ResponseWriter){lost, say(401, "unauthorized")}, stet.CodeUnknown},
		"lost, then internal":               {[]func(http.ResponseWriter){lost, say(500, "internal")}, stet.CodeUnknown},
		"lost, then something else answers": {[]func(http.ResponseWriter){lost, raw(404)}, stet.CodeUnknown},
		"lost, then invalid":                {[]func(http.ResponseWriter){lost, say(400, "invalid")}, stet.CodeUnknown},
		"lost, then too large":              {[]func(http.ResponseWriter){lost, say(413, "too_large")}, stet.CodeUnknown},
		"lost, then a bad request":          {[]func(http.ResponseWriter){lost, raw(400)}, stet.CodeUnknown},
		"lost, then invalid, then refused":  {[]func(http.ResponseWriter){lost, say(400, "invalid"), raw(431), say(409, "conflict")}, stet.CodeConflict},
		"lost, then too large, then none":   {[]func(http.ResponseWriter){lost, say(413, "too_large"), raw(413), raw(415), say(404, "not_found")}, stet.CodeNotFound},
		"lost":                              {[]func(http.ResponseWriter){lost}, stet.CodeUnknown},
		"a bad gateway":                     {[]func(http.ResponseWriter){raw(502)}, stet.CodeUnknown},
		"a 500 that is not stet's":          {[]func(http.ResponseWriter){raw(500)}, stet.CodeUnknown},
		"a code that is not known":          {[]func(http.ResponseWriter){say(503, "asleep")}, stet.CodeUnknown},
		"unknown to the server":             {[]func(http.ResponseWriter){say(504, "unknown")}, stet.CodeUnknown},
		"another commit's answer":           {[]func(http.ResponseWriter){func(w http.ResponseWriter) { deleted(w, "another") }}, stet.CodeUnknown},
		"half an answer": {[]func(http.ResponseWriter){func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":`)
		}}, stet.CodeUnknown},
		"unavailable":                 {[]func(http.ResponseWriter){say(503, "unavailable")}, stet.CodeUnavailable},
		"internal":                    {[]func(http.ResponseWriter){say(500, "internal")}, stet.CodeInternal},
		"invalid":                     {[]func(http.ResponseWriter){say(400, "invalid"), lost}, stet.CodeInvalid},
		"unavailable, then too large": {[]func(http.ResponseWriter){say(503, "unavailable"), say(413, "too_large"), lost}, stet.CodeTooLarge},
		"unavailable, then forbidden": {[]func(http.ResponseWriter){say(503, "unavailable"), say(403, "forbidden")}, stet.CodeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				f := open(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
					n := d.note(r)
					tt.answers[min(n, len(tt.answers))-1](w)
				})
				_, err := f.store.Commit(t.Context(), delete1())
				var e *stet.Error
				if !errors.As(err, &e) || e.Code != tt.code {
					t.Fatalf("the error is %v, and should be %s", err, tt.code)
				}
				if len(slices.Compact(d.ids)) != 1 || d.ids[0] == "" {
					t.Errorf("it was sent with the ids %q", d.ids)
				}
				if e.Code != stet.CodeUnknown {
					return
				}
				if strings.Contains(e.Message, "Nothing changed") {
					t.Errorf("the error says what nobody knows: %v", err)
				}
				if e.CommitID != d.ids[0] {
					t.Errorf("the error names the commit %q, which was sent as %q", e.CommitID, d.ids[0])
				}
				// With that id the outcome is found.
				f.answer = func(w http.ResponseWriter, r *http.Request) { d.note(r); deleted(w, d.ids[0]) }
				c := delete1()
				c.ID = e.CommitID
				if done, err := f.store.Commit(t.Context(), c); err != nil || done.ID != e.CommitID {
					t.Errorf("sent again it is %+v, %v", done, err)
				}
			})
		})
	}
}

// A server that takes requests and never answers does not hold a caller for ever.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		f := open(t, client.Options{Timeout: time.Second, Attempts: 3}, func(_ http.ResponseWriter, r *http.Request) {
			d.note(r)
			<-r.Context().Done()
		})
		begun := time.Now()
		_, err := f.store.Commit(t.Context(), delete1())
		if took := time.Since(begun); stet.CodeOf(err) != stet.CodeUnknown || took < 3*time.Second || took > 3200*ms {
			t.Errorf("after %v: %v", took, err)
		}
		if _, err := f.store.Get(t.Context(), "a"); stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("a read: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*ms)
		defer cancel()
		begun = time.Now()
		_, err = f.store.Commit(ctx, delete1())
		if took := time.Since(begun); stet.CodeOf(err) != stet.CodeUnknown || took != 300*ms || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline, after %v: %v", took, err)
		}
	})
}

// Nothing was sent to a server that cannot be reached: nothing can have happened.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, client.Options{}, func(http.ResponseWriter, *http.Request) { hangUp() })
		f.refuse(true)
		_, _ = f.store.Tail(t.Context()) // uses the connection that was kept up: what follows dials
		_, err := f.store.Get(t.Context(), "a")
		if stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("a read: %v", err)
		}
		_, err = f.store.Commit(t.Context(), delete1())
		if stet.CodeOf(err) != stet.CodeUnavailable || !strings.Contains(err.Error(), "Nothing changed") {
			t.Errorf("a commit: %v", err)
		}
	})
}

// An outage is not made worse by those who wait for its end.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, budget = 200, 20
		var d diary
		down := true
		var mu sync.Mutex
		f := open(t, client.Options{RetryBudget: budget}, func(w http.ResponseWriter, r *http.Request) {
			d.note(r)
			mu.Lock()
			defer mu.Unlock()
			if down {
				refusal(w, 503, unavailable)
			} else {
				refusal(w, 404, `{"code":"not_found","detail":"None."}`)
			}
		})
		var w sync.WaitGroup
		begun := time.Now()
		for range callers {
			w.Go(func() {
				if _, err := f.store.Get(t.Context(), "a"); stet.CodeOf(err) != stet.CodeUnavailable {
					t.Errorf("the error is %v", err)
				}
			})
		}
		w.Wait()
		most := callers + budget + int(time.Since(begun)/time.Second) + 1
		if n := len(d.times()); n > most || n < callers+budget {
			t.Errorf("%d callers sent %d requests, and should send at most %d", callers, n, most)
		}
		// A minute later there is some again.
		<-time.After(time.Minute)
		before := len(d.times())
		if _, err := f.store.Get(t.Context(), "a"); stet.CodeOf(err) != stet.CodeUnavailable {
			t.Errorf("the error is %v", err)
		}
		if n := len(d.times()) - before; n != 8 {
			t.Errorf("a minute later a call was sent %d times", n)
		}
	})
}

// Calls that succeed bring back what others have used up.
func TestBudgetIsEarned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		fails := false
		f := open(t, client.Options{RetryBudget: 2}, func(w http.ResponseWriter, r *http.Request) {
			d.note(r)
			if fails {
				refusal(w, 503, unavailable)
				return
			}
			io.WriteString(w, `{"prompts":[],"as_of":7}`)
		})
		attempts := func() int {
			fails = true
			defer func() { fails = false }()
			before := len(d.times())
			_, _ = f.store.Get(t.Context(), "a")
			return len(d.times()) - before
		}
		if n := attempts(); n != 3 {
			t.Errorf("with a budget of 2 a call was sent %d times", n)
		}
		if n := attempts(); n != 1 {
			t.Errorf("with nothing left a call was sent %d times", n)
		}
		for range 10 {
			if _, err := f.store.PromptsPage(t.Context(), stet.PromptsOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if n := attempts(); n != 3 {
			t.Errorf("after 10 that succeeded a call was sent %d times", n)
		}
	})
}

// Close does not wait for those who wait.
func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, client.Options{FirstWait: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { refusal(w, 503, unavailable) })
		errs := make(chan error)
		go func() { _, err := f.store.Get(t.Context(), "a"); errs <- err }()
		go func() { _, err := f.store.Commit(t.Context(), delete1()); errs <- err }()
		synctest.Wait()
		begun := time.Now()
		go f.store.Close()
		for range 2 {
			if err := <-errs; stet.CodeOf(err) != stet.CodeUnavailable {
				t.Errorf("the error is %v", err)
			}
		}
		if took := time.Since(begun); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}
