package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/content"
	"github.com/stet-dev/stet/internal/visible"
)

// statuses maps stet's codes to HTTP. It is the only such table.
var statuses = map[stet.Code]int{
	stet.CodeInvalid:      http.StatusBadRequest,
	stet.CodeUnauthorized: http.StatusUnauthorized,
	stet.CodeForbidden:    http.StatusForbidden,
	stet.CodeNotFound:     http.StatusNotFound,
	stet.CodeConflict:     http.StatusConflict,
	stet.CodeTooLarge:     http.StatusRequestEntityTooLarge,
	stet.CodeRateLimited:  http.StatusTooManyRequests,
	stet.CodeInternal:     http.StatusInternalServerError,
	stet.CodeUnavailable:  http.StatusServiceUnavailable,
	stet.CodeUnknown:      http.StatusGatewayTimeout,
}

// Status returns the HTTP status of a code, 500 for one that is not stet's.
func Status(code stet.Code) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// A statusError is an error whose status says more than its code: 405, 406, 408,
// 412 and 415.
type statusError struct {
	err    *stet.Error
	status int
}

// Error returns the text of the error.
func (e *statusError) Error() string { return e.err.Error() }

// Unwrap returns the error without its status.
func (e *statusError) Unwrap() error { return e.err }

func withStatus(status int, code stet.Code, format string, args ...any) error {
	return &statusError{stet.Errorf(code, format, args...), status}
}

// stetError returns stet's error in err, and a function that replaces it by another.
func stetError(err error) (*stet.Error, func(*stet.Error) error) {
	var special *statusError
	if errors.As(err, &special) {
		return special.err, func(e *stet.Error) error { return &statusError{e, special.status} }
	}
	var e *stet.Error
	errors.As(err, &e)
	return e, func(e *stet.Error) error { return e }
}

// maxDetail bounds the text of a problem, in bytes, because it may repeat what the caller
// sent.
const maxDetail = 2 << 10

// detail returns the text of an error for display: valid UTF-8 on one line, of bounded
// length, with invisible characters made visible.
func detail(message string) string {
	if cut := len(message) - maxDetail; cut > 0 {
		// Cut the middle: the end says what to do.
		const half = maxDetail / 2
		message = message[:half] + fmt.Sprintf("… (%d bytes) …", cut) + message[len(message)-half:]
	}
	message = strings.ToValidUTF8(message, "\uFFFD")
	if strings.ContainsAny(message, "\n\t") {
		message = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(message)
	}
	return visible.Text(message)
}

// problem answers with an error as application/problem+json (RFC 9457): type, title,
// status, detail, code, and op and commit_id where the error has them. An error that is
// not stet's is internal, and only the log has its text.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	status := 0
	var special *statusError
	if errors.As(err, &special) {
		status = special.status
	}
	var e *stet.Error
	if !errors.As(err, &e) {
		e = stet.WrapError(err, stet.CodeInternal, "the server failed. Its log says more, under the request id %s.", w.Header().Get(headerRequestID))
	}
	if e.Code == stet.CodeInternal && e.Err != nil && special == nil {
		s.o.Log.Error("a request failed", "error", e.Err, "request_id", w.Header().Get(headerRequestID))
	}
	if status == 0 {
		status = Status(e.Code)
	}
	body := append([]byte(nil), `{"type":"about:blank","title":`...)
	body = content.AppendQuote(body, http.StatusText(status))
	body = append(body, `,"status":`...)
	body = strconv.AppendInt(body, int64(status), 10)
	body = append(body, `,"detail":`...)
	body = content.AppendQuote(body, detail(e.Message))
	body = append(body, `,"code":`...)
	body = content.AppendQuote(body, string(e.Code))
	if e.Op != stet.NoOp {
		body = append(body, `,"op":`...)
		body = strconv.AppendInt(body, int64(e.Op), 10)
	}
	if e.CommitID != "" {
		body = append(body, `,"commit_id":`...)
		body = content.AppendQuote(body, e.CommitID)
	}
	body = append(body, "}\n"...)
	if rec := recorderOf(w); rec != nil {
		rec.err = err
		s.unknownCaller(rec, r)
	}
	h := w.Header()
	for _, other := range []string{"Etag", "Location", "Content-Encoding", "Last-Modified"} {
		delete(h, other) // set for another answer
	}
	h["Content-Type"] = typeProblem
	if e.Code == stet.CodeUnauthorized {
		h["Www-Authenticate"] = []string{"Bearer"}
	}
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = noSniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // after an error the client is gone
	}
}
