package main

import (
	"crypto/tls"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stet-dev/stet"
)

// tls returns the configuration of TLS, nil if connections are not encrypted.
func (c *serveCmd) tls(log *slog.Logger) (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	cert, err := openCertPair(c.TLSCert, c.TLSKey, log, time.Now)
	if err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: cert.get, MinVersion: tls.VersionTLS12}, nil
}

// certificateEvery is how often the files of the certificate are checked, when a client
// connects. A check takes two system calls.
const certificateEvery = 2 * time.Second

// A certPair is the certificate and its key in two files. It is reloaded while the server
// runs. If the files cannot be used, such as a new certificate beside the old key, the
// last good pair stays in use. Its method get is safe for concurrent use.
type certPair struct {
	files [2]string // of the certificate and of its key
	log   *slog.Logger
	now   func() time.Time

	pair atomic.Pointer[tls.Certificate]

	mu       sync.Mutex // held while the files are checked
	looked   time.Time
	seen     [2]fs.FileInfo // of the files when they were last read
	settled  bool           // they were read again, unchanged
	reported bool           // it is logged that they cannot be used
}

// openCertPair reads a certificate and its key. The error is invalid.
func openCertPair(cert, key string, log *slog.Logger, now func() time.Time) (*certPair, error) {
	c := &certPair{files: [2]string{cert, key}, log: log, now: now, looked: now()}
	c.seen, _ = c.stat()
	if err := c.load(); err != nil {
		return nil, stet.WrapError(err, stet.CodeInvalid, "the certificate %s and its key %s cannot be used: %v.", cert, key, err)
	}
	return c, nil
}

// get implements [tls.Config.GetCertificate]. It never waits: while one call checks the
// files, others get the present pair.
func (c *certPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.mu.TryLock() {
		c.look()
		c.mu.Unlock()
	}
	return c.pair.Load(), nil
}

// look reads the files if they have changed. As long as they change it reads them at each
// check, and once more when they have stopped: the two are replaced one after the other,
// and a second change within one tick of the file system's clock would not show. So
// unusable files are an error only if they stay.
func (c *certPair) look() {
	now := c.now()
	if now.Sub(c.looked) < certificateEvery {
		return
	}
	c.looked = now
	seen, err := c.stat()
	same := err == nil && unchanged(seen, c.seen)
	if same && c.settled {
		return
	}
	again := same || err != nil
	c.seen, c.settled = seen, same
	if err == nil {
		err = c.load()
	}
	switch {
	case err == nil && c.reported:
		c.log.Info("the certificate can be used again", "cert", c.files[0])
		c.reported = false
	case err == nil:
		if !again {
			c.log.Info("the certificate was read anew", "cert", c.files[0])
		}
	case again && !c.reported:
		c.log.Error("the changed certificate cannot be used; the previous one stays in use. Put a certificate and its own key there", "cert", c.files[0], "key", c.files[1], "error", err)
		c.reported = true
	}
}

func (c *certPair) stat() (seen [2]fs.FileInfo, err error) {
	for i, file := range c.files {
		if seen[i], err = os.Stat(file); err != nil {
			return [2]fs.FileInfo{}, err
		}
	}
	return seen, nil
}

func unchanged(a, b [2]fs.FileInfo) bool {
	for i := range a {
		if b[i] == nil || !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}

func (c *certPair) load() error {
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		return err
	}
	c.pair.Store(&pair)
	return nil
}
