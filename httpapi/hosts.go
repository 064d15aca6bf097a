package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/stet-dev/stet"
)

// A browser on this machine sends what any web page asks it to, also to addresses that the
// author of the page cannot reach. Where no key is needed, this file refuses such pages.

// corsHeaders and corsExposed are the headers that pages of a listed origin may send and
// read beyond those that browsers always allow.
const (
	corsMethods = "GET, HEAD, POST, PUT, DELETE"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Stet-Author, Stet-Message, X-Confirm, X-Request-Id"
	corsExposed = "ETag, Location, Retry-After, Stet-As-Of, Stet-Bump, Stet-Commit, Stet-Deleted, Stet-Hash, Stet-Request-Id, Stet-Revision, Stet-Version"
	// corsAge is for how many seconds a browser need not ask again: two hours, the most
	// that some browsers accept.
	corsAge = "7200"
)

// CheckOrigin fails as invalid unless an origin may be in Options.CORS: a scheme, a host,
// and a port if it is not the scheme's own, and nothing else. "*" is refused: it would let
// every page do what only this machine may.
func CheckOrigin(origin string) error {
	if err := new(http.CrossOriginProtection).AddTrustedOrigin(origin); err != nil {
		return stet.WrapError(err, stet.CodeInvalid, "%q is not the origin of a page. Write scheme and host, and the port if there is one: https://app.example.com.", origin)
	}
	return nil
}

// origins applies the rules for web pages of other origins:
//
//   - Without keys the Host must be this machine or one of Options.Hosts. A page
//     whose name resolves to this machine (DNS rebinding) sends its own name.
//   - Without keys a request that a proxy forwards is refused, and so is one for the
//     whole store or its changes from a page of another origin.
//   - A request that changes something is refused as forbidden if a browser says
//     that a page of another origin makes it, unless Options.CORS has the origin.
//   - A page reads answers, and sends what needs a preflight, only if Options.CORS
//     has its origin.
//
// No browser uses a private socket.
func (s *Server) origins(next http.Handler) http.Handler {
	var cross http.CrossOriginProtection
	for _, o := range s.o.CORS { // no browser ever sends one that is invalid
		_ = cross.AddTrustedOrigin(o)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPrivate(r) {
			next.ServeHTTP(w, r)
			return
		}
		if s.o.Keys == nil || s.o.Keys.Open() {
			if err := s.local(r); err != nil {
				s.problem(w, r, err)
				return
			}
		}
		if origin := r.Header.Get("Origin"); len(s.o.CORS) > 0 {
			h := w.Header()
			h.Add("Vary", "Origin")
			if slices.Contains(s.o.CORS, origin) {
				h.Set("Access-Control-Allow-Origin", origin)
				h.Set("Access-Control-Expose-Headers", corsExposed)
				if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
					h.Set("Access-Control-Allow-Methods", corsMethods)
					h.Set("Access-Control-Allow-Headers", corsHeaders)
					h.Set("Access-Control-Max-Age", corsAge)
					w.WriteHeader(http.StatusNoContent)
					return
				}
			}
		}
		if err := cross.Check(r); err != nil {
			s.problem(w, r, stet.WrapError(err, stet.CodeForbidden, "a browser sends this for a page of another origin, and such pages may change nothing here. Nothing changed. Start the server with the page's origin if it may."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local fails as forbidden unless a request comes from this machine, as far as its headers
// tell. It is for a server without keys.
func (s *Server) local(r *http.Request) error {
	switch what := forwarded(r); {
	case !s.knownHost(r.Host):
		return stet.Errorf(stet.CodeForbidden, "the request is for the host %q, which this server does not know as itself. Nothing changed. Use localhost or 127.0.0.1, or give the name when it is started.", r.Host)
	case what != "":
		return stet.Errorf(stet.CodeForbidden, "the request was forwarded by a proxy (%s), and this server has no keys: without them it answers this machine alone, and a proxy speaks for others. Nothing changed. Make a key with stet key create, show it as Authorization: Bearer KEY, and then put the proxy before the server.", what)
	case readsWhole(r) && s.otherPage(r):
		return stet.Errorf(stet.CodeForbidden, "a browser sends this for a page of another origin, and this server has no keys: such pages may not make it read the whole store. Nothing changed. Ask without a browser, or start the server with the page's origin if it may.")
	}
	return nil
}

// proxyHeaders and proxyPrefixes are the headers that proxies, load balancers and content
// networks add, in Go's spelling. No client on this machine has a reason to send one. The
// list cannot be complete, so docs/keys.md says to make a key before using a proxy.
var (
	proxyHeaders = []string{
		"Forwarded", "Forwarded-For", "Via", // standards: RFC 7239, RFC 9110
		"X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Remote-Ip", "X-Remote-Addr", "Client-Ip", "X-Proxyuser-Ip", "X-Forwarder-For",
		"True-Client-Ip", "Cdn-Loop", "Fastly-Client-Ip", "Fly-Client-Ip", "X-Appengine-User-Ip",
	}
	proxyPrefixes = []string{"X-Forwarded", "X-Original-", "X-Envoy-", "X-Azure-", "Cf-"}
)

// forwarded returns how a request shows that a proxy forwards it, "" if it does not.
// HTTP/1.0 is a sign, too: no client has used it for decades, and it is the only sign of
// nginx as it comes, which sends the server's own Host and adds no header.
func forwarded(r *http.Request) string {
	if r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		return "it is HTTP/1.0"
	}
	for name := range r.Header {
		if name[0] != 'X' && name[0] != 'C' && name[0] != 'F' && name[0] != 'V' && name[0] != 'T' {
			continue // nearly all
		}
		if slices.Contains(proxyHeaders, name) || slices.ContainsFunc(proxyPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			return "it has the header " + name
		}
	}
	return ""
}

// readsWhole reports whether a request is for what reads the whole store, or the whole
// log, or waits in a place of its own for what comes.
func readsWhole(r *http.Request) bool {
	switch r.URL.Path {
	case "/v1/backup", "/v1/export", "/v1/verify", "/v1/replay", "/v1/changes":
		return true
	}
	return false
}

// otherPage reports whether a browser sends a request, of any method, for a page of another
// origin that Options.CORS does not have. All current browsers tell; an old one may not.
func (s *Server) otherPage(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if slices.Contains(s.o.CORS, origin) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
	case "same-origin", "none":
		return false
	default:
		return true
	}
	if origin == "" {
		origin = r.Header.Get("Referer")
	}
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// knownHost reports whether a Host, with or without a port, is this machine or one of
// Options.Hosts.
func (s *Server) knownHost(host string) bool {
	if name, _, _ := strings.Cut(host, ":"); name == "localhost" || name == "127.0.0.1" {
		return true // nearly all; SplitHostPort would make an error if there is no port
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	name = strings.TrimSuffix(name, ".")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	if a, err := netip.ParseAddr(name); err == nil && a.Unmap().IsLoopback() {
		return true
	}
	return slices.ContainsFunc(s.o.Hosts, func(h string) bool { return strings.EqualFold(h, name) || strings.EqualFold(h, host) })
}
