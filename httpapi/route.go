package httpapi

import (
	"net/http"
	"strings"

	"github.com/stet-dev/stet"
)

// A route is one operation of the contract. What depends on which operation a request
// is for, is a column here and is not found out from its URL a second time.
type route struct {
	method string
	// pattern is the path in openapi.yaml but for {ref...}, which is {ref} there. A GET
	// answers HEAD as well.
	pattern string
	// answer carries the operation out.
	answer func(*call) error
	// may is what the caller must be allowed to do, before anything else is looked at.
	may right
	// kind is the bound that the requests count against.
	kind kind
	// reads says that a request changes nothing though its method is POST.
	reads bool
	// body is the most bytes of a body; 0 where none is taken.
	body int64
	// work says that workTime bounds the operation.
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

// nowhere is what counts as the route of a request that no route takes.
var nowhere = &route{}

// name is the route in metrics and in the log: "other" for nowhere, so that what
// nobody offers makes no series of its own.
func (rt *route) name() string {
	if rt.pattern == "" {
		return "other"
	}
	return rt.method + " " + rt.pattern
}

// kindOf returns what a request to the route comes as. It is kindWait later, while it
// waits.
func (rt *route) kindOf(r *http.Request) kind {
	if rt.kind != kindChanges {
		return rt.kind
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") || r.URL.Query().Has("wait") {
		return kindStream
	}
	return kindUsual
}

// onlyReads tells whether a request to the route changes nothing.
func (rt *route) onlyReads(r *http.Request) bool {
	return rt.reads || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// compose puts the handlers into each other: a request gets its id, then its route is
// found, and what guards a request is around what the route does.
func (s *Server) compose() http.Handler { return s.identify(http.HandlerFunc(s.dispatch)) }

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range s.table() {
		mux.Handle(rt.method+" "+rt.pattern, s.guard(&rt, s.origins(s.call(&rt))))
	}
	mux.Handle("/", s.guard(nowhere, s.origins(http.HandlerFunc(s.noRoute))))
	return mux
}

// dispatch gives a request to its route. ServeMux would answer a path that is not
// in its shortest form with a redirect, in HTML; such a path is never an id's.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	if p := r.URL.EscapedPath(); p == "" || p[0] != '/' || strings.Contains(p, "//") || strings.Contains(p, "/.") && hasDots(p) {
		s.noPath.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// badPath answers what dispatch gives to no route.
func (s *Server) badPath(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, stet.Errorf(stet.CodeNotFound, "there is nothing at this path: it has an empty segment, \".\" or \"..\". Write an id as one segment, with %%2F for /."))
}

// hasDots tells whether a segment of a path is "." or "..".
func hasDots(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// noRoute answers what no route is for: 404, or 405 with Allow if another method
// is taken there.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range []string{"DELETE", "GET", "POST", "PUT"} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(other); pattern != "/" && pattern != "" {
			allow = append(allow, method)
			if method == "GET" {
				allow = append(allow, "HEAD")
			}
		}
	}
	if len(allow) == 0 {
		s.problem(w, r, stet.Errorf(stet.CodeNotFound, "there is nothing at this path. See /openapi.yaml for what there is; an id is one segment, with %%2F for /."))
		return
	}
	list := strings.Join(allow, ", ")
	w.Header()["Allow"] = []string{list}
	s.problem(w, r, withStatus(http.StatusMethodNotAllowed, stet.CodeInvalid, "%s is not taken here. Use one of: %s.", r.Method, list))
}
