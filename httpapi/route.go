package httpapi

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// A route is one operation of the contract. What depends on the operation of a request is
// a column here, and is not derived from the URL again.
type route struct {
	method string
	// pattern is the path as in openapi.yaml, except that {ref...} is {ref} there. GET
	// includes HEAD.
	pattern string
	// answer carries the operation out.
	answer func(*call) error
	// may is the right that the caller must have. It is checked first.
	may right
	// kind is the limit that the requests count against.
	kind kind
	// reads says that a request changes nothing though its method is POST.
	reads bool
	// body is the most bytes of a body; 0 where none is taken.
	body int64
	// work bounds the operation by workTime.
	work bool
}

// table lists every route.
func (s *Server) table() []route {
	return []route{
		{method: "GET", pattern: "/v1/prompts/{id}/versions/{selector}", answer: s.getVersion},
		{method: "POST", pattern: "/v1/get", answer: s.getMany, reads: true, work: true, body: maxGetBody},
		{method: "GET", pattern: "/p/{ref...}", answer: s.getPlain},
		{method: "GET", pattern: "/v1/prompts/{id}/versions", answer: s.listVersions},
		{method: "GET", pattern: "/v1/prompts", answer: s.listPrompts},
		{method: "GET", pattern: "/v1/prompts/{id}", answer: s.getHead},
		{method: "GET", pattern: "/v1/prompts/{id}/labels/{label}", answer: s.listMoves},
		{method: "GET", pattern: "/v1/prompts/{id}/diff", answer: s.getDiff},
		{method: "POST", pattern: "/v1/prompts/{id}/versions/{selector}/render", answer: s.render, reads: true, body: maxRenderBody},
		{method: "GET", pattern: "/v1/changes", answer: s.getChanges, kind: kindChanges},

		{method: "POST", pattern: "/v1/commits", answer: s.postCommit, may: mayCommit, body: DefaultMaxBody},
		{method: "POST", pattern: "/v1/prompts/{id}/versions", answer: s.saveVersion, may: maySave, body: DefaultMaxBody},
		{method: "DELETE", pattern: "/v1/prompts/{id}/versions/{selector}", answer: s.deleteVersion, may: mayDelete},
		{method: "DELETE", pattern: "/v1/prompts/{id}", answer: s.deletePrompt, may: mayDelete},
		{method: "DELETE", pattern: "/v1/prompts", answer: s.clear},
		{method: "PUT", pattern: "/v1/prompts/{id}/labels/{label}", answer: s.setLabel, may: mayMove, body: maxMoveBody},
		{method: "DELETE", pattern: "/v1/prompts/{id}/labels/{label}", answer: s.removeLabel, may: mayMove, body: maxMoveBody},
		{method: "POST", pattern: "/v1/prompts/{id}/labels/{label}/rollback", answer: s.rollback, may: mayMove, body: maxMoveBody},

		{method: "POST", pattern: "/v1/verify", answer: s.verify, kind: kindLarge, may: mayReadAll, body: maxMoveBody},
		{method: "GET", pattern: "/v1/backup", answer: s.backup, kind: kindLarge, may: mayReadAll},
		{method: "GET", pattern: "/v1/export", answer: s.export, kind: kindLarge, may: mayReadAll},
		{method: "POST", pattern: "/v1/replay", answer: s.replay, may: mayReadAll, body: DefaultMaxBody},

		{method: "GET", pattern: "/v1/store", answer: s.getStore},
		{method: "GET", pattern: "/metrics", answer: s.getMetrics, kind: kindFree},
		{method: "GET", pattern: "/healthz", answer: s.healthz, kind: kindFree, may: anybody},
		{method: "GET", pattern: "/readyz", answer: s.readyz, kind: kindFree, may: anybody},
		{method: "GET", pattern: "/openapi.yaml", answer: s.openapi, kind: kindFree, may: anybody},
	}
}

// nowhere is the route of a request that matches no other.
var nowhere = &route{}

// name is the route in metrics and in the log. It is "other" for nowhere, so that unknown
// paths make no series of their own.
func (rt *route) name() string {
	if rt.pattern == "" {
		return "other"
	}
	return rt.method + " " + rt.pattern
}

// kindOf returns the kind that a request to the route has when it begins. While it waits
// its kind is kindWait.
func (rt *route) kindOf(r *http.Request) kind {
	if rt.kind != kindChanges {
		return rt.kind
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") || r.URL.Query().Has("wait") {
		return kindStream
	}
	return kindUsual
}

// onlyReads reports whether a request to the route changes nothing.
func (rt *route) onlyReads(r *http.Request) bool {
	return rt.reads || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// An endpoint is a route with its parsed pattern and its handler.
type endpoint struct {
	*route
	segments []string // of the pattern, "" for a wildcard
	names    []string // of the wildcards
	tail     bool     // the last wildcard takes the rest of the path
	handler  http.Handler
}

// maxWildcards is the most that a pattern has.
const maxWildcards = 2

func (s *Server) newEndpoint(rt *route) *endpoint {
	e := &endpoint{route: rt}
	e.handler = s.guard(rt, s.origins(s.call(e)))
	for segment := range strings.SplitSeq(strings.TrimPrefix(rt.pattern, "/"), "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name, e.tail = strings.CutSuffix(strings.TrimSuffix(name, "}"), "...")
			e.names = append(e.names, name)
			segment = ""
		}
		e.segments = append(e.segments, segment)
	}
	return e
}

func (s *Server) newEndpoints() (all []*endpoint) {
	for _, rt := range s.table() {
		all = append(all, s.newEndpoint(&rt))
	}
	return all
}

// dispatch gives a request to its route. ServeMux would answer a path that is not clean
// with a redirect in HTML, and take a third of the time of a read.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) { s.find(r).handler.ServeHTTP(w, r) }

// find returns the endpoint of a request.
func (s *Server) find(r *http.Request) *endpoint {
	if isClean(sentPath(r)) {
		for _, e := range s.endpoints {
			if e.takes(r.Method) {
				if _, ok := e.match(r); ok {
					return e
				}
			}
		}
	}
	return s.nowhere
}

// sentPath returns the path of a request: with its escapes if one of them is unusual, as
// %2F is, otherwise without any.
func sentPath(r *http.Request) string { return cmp.Or(r.URL.RawPath, r.URL.Path) }

// isClean reports whether a path has no empty segment before its last, and none that is
// "." or "..". A path with an id never has one.
func isClean(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.Contains(path, "//") && !(strings.Contains(path, "/.") && hasDots(path))
}

// takes reports whether the route takes a method.
func (rt *route) takes(method string) bool {
	return method == rt.method || method == http.MethodHead && rt.method == http.MethodGet
}

// match reports whether the pattern matches a request's path, segment by segment, and
// returns the values of its wildcards.
func (e *endpoint) match(r *http.Request) (values [maxWildcards]string, ok bool) {
	path, n := sentPath(r), 0
	for i, want := range e.segments {
		if path == "" || path[0] != '/' {
			return values, false
		}
		segment := path[1:]
		path = ""
		if end := strings.IndexByte(segment, '/'); end >= 0 && !(e.tail && i == len(e.segments)-1) {
			segment, path = segment[:end], segment[end:]
		}
		if r.URL.RawPath != "" {
			var err error
			if segment, err = url.PathUnescape(segment); err != nil {
				return values, false
			}
		}
		switch {
		case segment == "" && !e.tail || want != "" && segment != want:
			return values, false
		case want == "":
			values[n] = segment
			n++
		}
	}
	return values, path == ""
}

// hasDots reports whether a segment of a path is "." or "..".
func hasDots(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// noRoute answers a request that matches no route: 404, or 405 with Allow if the path
// takes another method.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	if !isClean(sentPath(r)) {
		s.problem(w, r, stet.Errorf(stet.CodeNotFound, "there is nothing at this path: it has an empty segment, \".\" or \"..\". Write an id as one segment, with %%2F for /."))
		return
	}
	var allow []string
	for _, e := range s.endpoints {
		if _, ok := e.match(r); ok {
			allow = append(allow, e.method)
			if e.method == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
	}
	if len(allow) == 0 {
		s.problem(w, r, stet.Errorf(stet.CodeNotFound, "there is nothing at this path. See /openapi.yaml for what there is; an id is one segment, with %%2F for /."))
		return
	}
	slices.Sort(allow)
	list := strings.Join(allow, ", ")
	w.Header()["Allow"] = []string{list}
	s.problem(w, r, withStatus(http.StatusMethodNotAllowed, stet.CodeInvalid, "the method %s is not allowed here. Use one of: %s.", r.Method, list))
}
