package client_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/client"
)

// What comes back for a read, from stet and from what is not stet.
func TestErrors(t *testing.T) {
	const problem = "application/problem+json"
	for _, tt := range []struct {
		status     int
		kind, body string
		code       stet.Code
		op         int
		says       string
		attempts   int
	}{
		{404, problem, `{"code":"not_found","detail":"there is no prompt \"é\"."}`, stet.CodeNotFound, -1, `there is no prompt "é".`, 1},
		{400, problem + "; charset=utf-8", `{"code":"invalid","detail":"No.","op":3,"more":{"x":[1]}}`, stet.CodeInvalid, 3, "No.", 1},
		{400, problem, `{"code":"invalid","detail":"100 %s %d"}`, stet.CodeInvalid, -1, "100 %s %d", 1},
		{401, problem, `{"code":"unauthorized","detail":"Who?"}`, stet.CodeUnauthorized, -1, "Who?", 1},
		{403, problem, `{"code":"forbidden","detail":"No."}`, stet.CodeForbidden, -1, "No.", 1},
		{500, problem, `{"code":"internal","detail":"Broken."}`, stet.CodeInternal, -1, "Broken.", 1},
		{503, problem, `{"code":"unavailable","detail":"Busy."}`, stet.CodeUnavailable, -1, "Busy.", 3},
		{429, problem, `{"code":"rate_limited","detail":"Slower."}`, stet.CodeRateLimited, -1, "Slower.", 3},
		{504, problem, `{"code":"unknown","detail":"Perhaps.","commit_id":"x"}`, stet.CodeUnavailable, -1, "Perhaps.", 3},
		{418, problem, `{"code":"teapot","detail":"I am."}`, stet.CodeInvalid, -1, "is not stet", 1},
		{503, problem, `{"code":"asleep","detail":"Zz."}`, stet.CodeUnavailable, -1, "which is not from stet", 3},
		{503, problem, `{"code":`, stet.CodeUnavailable, -1, "not one of stet's", 3},
		{503, problem, `{"code":"unavailable","detail":` + strings.Repeat(" ", 2<<20) + `"x"}`, stet.CodeUnavailable, -1, "not one of stet's", 3},
		{502, "text/html", `<h1>502</h1>`, stet.CodeUnavailable, -1, "502 Bad Gateway", 3},
		{404, "text/html", `<h1>404</h1>`, stet.CodeInvalid, -1, "Check the address", 1},
		{401, "text/html", ``, stet.CodeUnauthorized, -1, "is not stet", 1},
		{403, "text/html", ``, stet.CodeForbidden, -1, "is not stet", 1},
		{413, "text/html", ``, stet.CodeTooLarge, -1, "is not stet", 1},
		{429, "text/html", ``, stet.CodeRateLimited, -1, "429", 3},
		{302, "text/html", ``, stet.CodeInvalid, -1, `"https://elsewhere.example/login"`, 1},
		{200, "text/html", `<h1>Log in</h1>`, stet.CodeUnavailable, -1, "not one of stet's", 3},
		{200, "application/json", `{}`, stet.CodeUnavailable, -1, "not one of stet's", 3},
		{200, "application/json", `null`, stet.CodeUnavailable, -1, "not one of stet's", 3},
		{200, "application/json", `{"prompt_id":"b","version":"1.0.0","text":"x"}`, stet.CodeUnavailable, -1, `"b"`, 3},
		{200, "application/json", `{"prompt_id":"a","version":"1.0.0","text":"x","digest":"sha256:` + strings.Repeat("0", 63) + `1"}`, stet.CodeUnavailable, -1, "digest", 3},
		{200, "application/json", "{\"prompt_id\":\"a\",\"version\":\"1.0.0\",\"text\":\"\xff\"}", stet.CodeUnavailable, -1, "UTF-8", 3},
		{204, "", ``, stet.CodeUnavailable, -1, "not one of stet's", 3},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.body[:min(40, len(tt.body))]), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				f := open(t, client.Options{Attempts: 3}, func(w http.ResponseWriter, r *http.Request) {
					n++
					w.Header().Set("Content-Type", tt.kind)
					w.Header().Set("Location", "https://elsewhere.example/login")
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})
				_, err := f.store.Get(t.Context(), "a")
				var e *stet.Error
				if !errors.As(err, &e) || e.Code != tt.code || e.Op != tt.op || e.CommitID != "" || !strings.Contains(e.Message, tt.says) {
					t.Errorf("the error is %+v, and should be %s, of operation %d, and say %q", e, tt.code, tt.op, tt.says)
				}
				if n != tt.attempts {
					t.Errorf("it was sent %d times, and should be %d times", n, tt.attempts)
				}
			})
		})
	}
}

// An empty object, or the page of a login, does not pass for an empty list.
func TestEmptyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, client.Options{Attempts: 1}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Del("Stet-As-Of")
			_, _ = io.WriteString(w, `{}`)
		})
		ctx := t.Context()
		_, list := f.store.ListPage(ctx, "a", stet.ListOptions{})
		_, prompts := f.store.PromptsPage(ctx, stet.PromptsOptions{})
		_, history := f.store.HistoryPage(ctx, "a", "", stet.HistoryOptions{})
		_, changes := f.store.ChangesPage(ctx, 0, stet.ChangesOptions{})
		_, _, many := f.store.GetMany(ctx, nil, stet.ReadOptions{})
		_, head := f.store.Head(ctx, "a")
		report, verify := f.store.Verify(ctx, stet.VerifyOptions{})
		export := f.store.Export(ctx, func(stet.Copy) error { return nil })
		for what, err := range map[string]error{
			"List": list, "Prompts": prompts, "History": history, "ChangesPage": changes, "GetMany": many, "Head": head, "Verify": verify, "Export": export,
		} {
			if stet.CodeOf(err) != stet.CodeUnavailable {
				t.Errorf("%s takes it: %v", what, err)
			}
		}
		if verify == nil && report.OK() {
			t.Error("a store is sound that was not looked at")
		}
	})
}

// A server cannot make a client hold more than it wants to.
func TestHugeAnswers(t *testing.T) {
	const most = 1 << 20
	endless := func(w io.Writer) int {
		chunk, n := []byte(strings.Repeat(" ", 64<<10)), 0
		for n < 100*most {
			m, err := w.Write(chunk)
			n += m
			if err != nil {
				break
			}
		}
		return n
	}
	for name, answer := range map[string]func(w http.ResponseWriter) int{
		"endless": func(w http.ResponseWriter) int { return endless(w) },
		"announced": func(w http.ResponseWriter) int {
			w.Header().Set("Content-Length", fmt.Sprint(100*most))
			return endless(w)
		},
		"compressed": func(w http.ResponseWriter) int {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			return endless(z) / 1000 // which is about what is sent
		},
		"an endless line": func(w http.ResponseWriter) int { return endless(w) },
	} {
		synctest.Test(t, func(t *testing.T) {
			requests, written := 0, make(chan int, 10)
			f := open(t, client.Options{MaxAnswer: most}, func(w http.ResponseWriter, r *http.Request) {
				requests++
				written <- answer(w)
			})
			var err error
			if name == "an endless line" {
				err = f.store.Export(t.Context(), func(stet.Copy) error { return nil })
			} else {
				_, err = f.store.PromptsPage(t.Context(), stet.PromptsOptions{})
			}
			if stet.CodeOf(err) != stet.CodeTooLarge || requests != 1 {
				t.Errorf("%s: after %d requests the error is %v", name, requests, err)
			}
			if n := <-written; n > 3*most {
				t.Errorf("%s: %d bytes were taken", name, n)
			}
		})
	}
}

// A save whose answer does not have its version, with the digest of what was sent, has
// happened for all that is known.
func TestAnswerToASave(t *testing.T) {
	draft := stet.Draft{PromptID: "a", Text: "x"}
	c, err := draft.Content()
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("0", 63) + "1"
	for version, says := range map[string]string{
		`{"prompt_id":"a","version":"1.0.0","revision":3,"digest":"` + c.Digest().String() + `"}`: "",
		`{"prompt_id":"a","version":"1.0.0","revision":3,"digest":"sha256:` + other + `"}`:        "digest",
		`{"prompt_id":"a","version":"1.0.0","revision":3}`:                                        "digest",
		`null`: "digest",
		`7`:    "operation 0",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := open(t, client.Options{Attempts: 1}, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"id":"once","revision":3,"time":"2026-01-01T00:00:00.000000Z","results":[{"prompt_id":"a"}],"versions":[%s]}`, version)
			})
			done, err := f.store.Commit(t.Context(), stet.Commit{ID: "once", Ops: []stet.Op{{Save: &draft}}})
			switch {
			case says == "":
				if err != nil || done.Versions[0].Text() != "x" || done.Versions[0].AsOf() != 3 {
					t.Errorf("%s: %+v, %v", version, done, err)
				}
			case stet.CodeOf(err) != stet.CodeUnknown || !strings.Contains(err.Error(), says):
				t.Errorf("%s: the error is %v, and should say %q", version, err, says)
			}
		})
	}
}

// A commit whose answer is too large has happened for all that is known.
func TestHugeAnswerToACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, client.Options{MaxAnswer: 1000}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", 2000))
		})
		if _, err := f.store.Commit(t.Context(), delete1()); stet.CodeOf(err) != stet.CodeUnknown {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{
		"", "http://", "http:///x", "localhost:7838", "ftp://host", "http:host", "unix:", "http://host?x=1", "http://host#x", "http://host/?", "https://ana:secret@host", "http://\x00", "//host",
	} {
		s, err := client.Open(t.Context(), address, nil)
		if err == nil {
			s.Close()
		}
		if stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error of %q tells the password: %v", address, err)
		}
	}
	for _, key := range []string{"a b", "a\n", "é", "secret\r\nX: y"} {
		_, err := client.Open(t.Context(), "http://127.0.0.1:1", &client.Options{Key: key})
		if stet.CodeOf(err) != stet.CodeInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("the key %q: %v", key, err)
		}
	}
}

// What every request has.
func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		f := open(t, client.Options{Key: "k3y"}, func(w http.ResponseWriter, r *http.Request) {
			got = append(got, fmt.Sprintf("%s %s %s %s %s", r.Method, r.RequestURI, r.Host, r.Header.Get("Authorization"), r.Header.Get("Content-Type")))
			refusal(w, 404, `{"code":"not_found","detail":"None."}`)
		})
		ctx := t.Context()
		_, _ = f.store.Get(ctx, "a/b c@>=1 <2")
		_, _ = f.store.Commit(ctx, delete1())
		_, _ = f.store.PromptsPage(ctx, stet.PromptsOptions{Prefix: "a&b/", Limit: 3, Cursor: "=?"})
		_, _, _ = f.store.Backup(ctx, t.TempDir()+"/b", stet.BackupOptions{})
		want := []string{
			"GET /v1/prompts/a%2Fb%20c/versions/%3E=1%20%3C2 fake Bearer k3y ",
			"POST /v1/commits?versions=true fake Bearer k3y application/json",
			"GET /v1/prompts?cursor=%3D%3F&limit=3&prefix=a%26b%2F fake Bearer k3y ",
			"GET /v1/backup fake Bearer k3y ",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the requests are\n%q\nand should be\n%q", got, want)
		}
	})
}
