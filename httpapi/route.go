package httpapi

import (
	"net/http"
	"strings"

	"github.com/stet-dev/stet/fault"
)

// A route is one operation of the contract. Its pattern is the path in
// openapi.yaml but for {ref...}, which is {ref} there.
type route struct {
	method  string
	pattern string
	handle  http.Handler
}

// table lists every route. A GET answers HEAD as well.
func (s *Server) table() []route {
	return []route{
		{"GET", "/v1/prompts/{id}/versions/{selector}", s.call(s.getVersion)},
		{"POST", "/v1/get", s.call(s.getMany)},
		{"GET", "/p/{ref...}", s.call(s.getPlain)},
		{"GET", "/v1/prompts/{id}/versions", s.call(s.listVersions)},
		{"GET", "/v1/prompts", s.call(s.listPrompts)},
		{"GET", "/v1/prompts/{id}", s.call(s.getHead)},
		{"GET", "/v1/prompts/{id}/labels/{label}", s.call(s.listMoves)},
		{"GET", "/v1/prompts/{id}/diff", s.call(s.getDiff)},
		{"POST", "/v1/prompts/{id}/versions/{selector}/render", s.call(s.render)},
		{"GET", "/v1/changes", s.call(s.getChanges)},

		{"POST", "/v1/commits", s.call(s.postCommit)},
		{"POST", "/v1/prompts/{id}/versions", s.call(s.saveVersion)},
		{"DELETE", "/v1/prompts/{id}/versions/{selector}", s.call(s.deleteVersion)},
		{"DELETE", "/v1/prompts/{id}", s.call(s.deletePrompt)},
		{"DELETE", "/v1/prompts", s.call(s.clear)},
		{"PUT", "/v1/prompts/{id}/labels/{label}", s.call(s.setLabel)},
		{"DELETE", "/v1/prompts/{id}/labels/{label}", s.call(s.removeLabel)},
		{"POST", "/v1/prompts/{id}/labels/{label}/rollback", s.call(s.rollback)},

		{"POST", "/v1/verify", s.call(s.verify)},
		{"GET", "/v1/backup", s.call(s.backup)},
		{"GET", "/v1/export", s.call(s.export)},
		{"POST", "/v1/replay", s.call(s.replay)},

		{"GET", "/v1/store", s.call(s.getStore)},
		{"GET", "/healthz", http.HandlerFunc(s.healthz)},
		{"GET", "/readyz", http.HandlerFunc(s.readyz)},
		{"GET", "/metrics", s.scrape()},
		{"GET", "/openapi.yaml", http.HandlerFunc(s.openapi)},
	}
}

// compose puts the handlers into each other: a request goes through them from
// the last line to the first.
func (s *Server) compose() http.Handler {
	var h http.Handler = http.HandlerFunc(s.dispatch)
	h = s.origins(h)
	h = s.guard(h)
	h = s.identify(h)
	return h
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range s.table() {
		mux.Handle(r.method+" "+r.pattern, r.handle)
	}
	mux.HandleFunc("/", s.noRoute)
	return mux
}

// dispatch gives a request to its route. ServeMux would answer a path that is not
// in its shortest form with a redirect, in HTML; such a path is never an id's.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	if p := r.URL.EscapedPath(); p == "" || p[0] != '/' || strings.Contains(p, "//") || strings.Contains(p, "/.") && hasDots(p) {
		s.problem(w, r, fault.New(fault.NotFound, "there is nothing at this path: it has an empty segment, \".\" or \"..\". Write an id as one segment, with %%2F for /."))
		return
	}
	s.mux.ServeHTTP(w, r)
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
		s.problem(w, r, fault.New(fault.NotFound, "there is nothing at this path. See /openapi.yaml for what there is; an id is one segment, with %%2F for /."))
		return
	}
	list := strings.Join(allow, ", ")
	w.Header()["Allow"] = []string{list}
	s.problem(w, r, withStatus(http.StatusMethodNotAllowed, fault.Invalid, "%s is not taken here. Use one of: %s.", r.Method, list))
}
