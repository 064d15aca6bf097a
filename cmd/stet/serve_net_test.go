package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRedacted(t *testing.T) {
	for in, want := range map[string]string{
		"sqlite:stet.db": "sqlite:stet.db", "stet.db": "stet.db", "memory:": "memory:",
		"postgres://ana:secret@db/stet":  "postgres://ana:xxxxx@db/stet",
		"postgres://db/stet":             "postgres://db/stet",
		"etcd://ana:sec%ret@host:1/\x7f": "etcd://…",
	} {
		if got := redacted(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestBase(t *testing.T) {
	tcp := func(s string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, x := range []struct {
		c    serveCmd
		addr string
		tls  bool
		want string
	}{
		{serveCmd{}, "127.0.0.1:7838", false, "http://127.0.0.1:7838"},
		{serveCmd{}, "[::1]:1", false, "http://[::1]:1"},
		{serveCmd{}, "[::]:1", true, "https://localhost:1"},
		{serveCmd{Host: []string{"a.example"}}, "0.0.0.0:443", true, "https://a.example:443"},
		{serveCmd{Host: []string{"a.example"}}, "127.0.0.1:1", false, "http://127.0.0.1:1"},
	} {
		if got := x.c.base(tcp(x.addr), x.tls); got != x.want {
			t.Errorf("%s: %s, want %s", x.addr, got, x.want)
		}
	}
}

// certificate makes a certificate for this machine, and its key, as files.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return cert, key, roots
}

// TestCertificateIsRenewed: a new certificate is used by connections soon after it was
// installed, even if its two files arrive one after the other. If it cannot be used, the
// previous one stays, and the log says so once.
func TestCertificateIsRenewed(t *testing.T) {
	files := make([][2]string, 3)
	for i := range files {
		files[i][0], files[i][1], _ = certificate(t)
	}
	dir := t.TempDir()
	place := [2]string{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	put := func(which, file int) { // as a new file in the old one's place
		t.Helper()
		data, err := os.ReadFile(files[which][file])
		if err == nil {
			err = os.WriteFile(place[file]+".new", data, 0o600)
		}
		if err = errors.Join(err, os.Rename(place[file]+".new", place[file])); err != nil {
			t.Fatal(err)
		}
	}
	put(0, 0)
	put(0, 1)
	var log strings.Builder
	now := time.Now()
	c, err := openCertPair(place[0], place[1], slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	is := func(what string, want, lines int) {
		t.Helper()
		pair, err := tls.LoadX509KeyPair(files[want][0], files[want][1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.get(nil)
		if err != nil || !bytes.Equal(got.Certificate[0], pair.Certificate[0]) {
			t.Errorf("%s: it is not certificate %d, %v", what, want, err)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != lines {
			t.Errorf("%s: %d errors in the log, want %d:\n%s", what, n, lines, &log)
		}
	}
	later := func() { now = now.Add(certificateEvery) }

	is("at first", 0, 0)
	later()
	is("unchanged", 0, 0)
	put(1, 0)
	later()
	is("the certificate without its key", 0, 0)
	put(1, 1)
	is("at once", 0, 0)
	later()
	is("with its key", 1, 0)
	later()
	is("and then", 1, 0)

	put(2, 0)
	later()
	is("the next one without its key", 1, 0)
	for range 5 {
		later()
		is("a certificate whose key never comes", 1, 1)
	}
	put(2, 1)
	later()
	is("its key has come after all", 2, 1)
	if !strings.Contains(log.String(), "can be used again") {
		t.Errorf("it is not told that it is well again:\n%s", &log)
	}

	for range 3 {
		if err := os.Remove(place[0]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		later()
		is("without a file", 2, 2)
	}
	put(0, 0)
	put(0, 1)
	later()
	is("back", 0, 2)
}

// TestServeTLS serves beyond this machine, encrypted, over HTTP/1.1 and HTTP/2.
func TestServeTLS(t *testing.T) {
	cert, private, roots := certificate(t)
	s := testServer(t, "--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", private)
	url := strings.Replace(s.url, "localhost", "127.0.0.1", 1)
	if !strings.HasPrefix(url, "https://127.0.0.1:") {
		t.Fatalf("it is at %s", s.url)
	}
	key, err := s.printed()
	if err != nil {
		t.Fatal(err)
	}
	for _, h2 := range []bool{false, true} {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: h2}
		c := &http.Client{Transport: tr}
		res, err := c.Get(url + "/v1/prompts")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized || (res.ProtoMajor == 2) != h2 {
			t.Errorf("without a key: %s, %s", res.Status, res.Proto)
		}
		req, err := http.NewRequest("GET", url+"/v1/prompts", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		res, err = c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("with the key that was printed: %s", res.Status)
		}
		tr.CloseIdleConnections()
	}
	if err := s.end(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, s.logged())
	}
}
