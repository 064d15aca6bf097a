package client

import (
	"net/url"
	"strings"

	"github.com/stet-dev/stet"
)

// An address is where a server is.
type address struct {
	base   string // of URLs, without a slash at the end
	socket string // path of a Unix socket, "" for TCP
}

const addressForms = "Write http://HOST:PORT, https://HOST, or unix:PATH for a socket."

func parseAddress(s string) (*address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if path == "" {
			return nil, stet.Errorf(stet.CodeInvalid, "the address %q names no socket. %s", s, addressForms)
		}
		// The server takes requests for this name, as those of a person beside it.
		return &address{base: "http://localhost", socket: path}, nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, stet.Errorf(stet.CodeInvalid, "the address of the server is not a URL. %s", addressForms) // its text may hold a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, stet.Errorf(stet.CodeInvalid, "%q is not the address of a server. %s", u.Redacted(), addressForms)
	case u.User != nil:
		return nil, stet.Errorf(stet.CodeInvalid, "the address %q has a name or a password in it, which stet does not use. Leave it out, and give a key.", u.Redacted())
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, stet.Errorf(stet.CodeInvalid, "the address %q has something behind its path. Leave it out. %s", s, addressForms)
	}
	return &address{base: strings.TrimRight(u.String(), "/")}, nil
}

// checkKey refuses a key that cannot be in a header. It does not repeat it.
func checkKey(key string) error {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return stet.Errorf(stet.CodeInvalid, "the key has a character at byte %d that no key has. Give it as it was printed, without a line break.", i)
		}
	}
	return nil
}
