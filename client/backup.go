package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/internal/dbfile"
)

// Backup implements stet.Backend. The server makes the file and checks it. The client
// downloads it under a temporary name, and gives it its name when it is complete and on
// stable storage. It can be opened or restored like a backup of the server's engine.
func (b *backend) Backup(ctx context.Context, path string, o stet.BackupOptions) (revision uint64, hash stet.Hash, err error) {
	if err := b.beginCall(); err != nil {
		return 0, hash, err
	}
	defer b.endCall()
	p, err := dbfile.Create(ctx, path, dbfile.Options{Overwrite: o.Overwrite})
	if err != nil {
		return 0, hash, err
	}
	defer p.Close()
	r := &request{method: http.MethodGet, path: segments("backup"), accept: "application/octet-stream, application/problem+json", slow: true}
	var fileErr error
	err = b.repeat(ctx, r, func() (failed *failure) {
		revision, hash, failed, fileErr = b.download(ctx, r, p.File.File(), o.Progress)
		return failed
	})
	switch {
	case fileErr != nil:
		return 0, stet.Hash{}, dbfile.CreateError(fileErr, path)
	case err != nil:
		return 0, stet.Hash{}, err
	}
	if err := p.Install(); err != nil {
		return 0, hash, err
	}
	return revision, hash, nil
}

// download reads one answer into a file, from its beginning. An error of the file is
// returned as error, a failure of the answer as failure.
func (b *backend) download(ctx context.Context, r *request, f *os.File, progress func(done, total uint64)) (revision uint64, hash stet.Hash, _ *failure, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, hash, nil, err
	}
	if err := f.Truncate(0); err != nil {
		return 0, hash, nil, err
	}
	resp, failed := b.send(ctx, r)
	if failed != nil {
		return 0, hash, failed, nil
	}
	defer resp.Body.Close()
	revision, err = strconv.ParseUint(resp.Header.Get("Stet-Revision"), 10, 64)
	if err != nil {
		return 0, hash, b.malformed(errors.New("it does not say which revision it has")), nil
	}
	if err := hash.UnmarshalText([]byte(resp.Header.Get("Stet-Hash"))); err != nil {
		return 0, hash, b.malformed(err), nil
	}
	total := resp.ContentLength
	to := &progressWriter{f: f, total: uint64(max(total, 0)), progress: progress}
	n, err := io.Copy(to, resp.Body)
	switch {
	case to.err != nil:
		return 0, hash, nil, to.err
	case err != nil:
		return 0, hash, b.interrupted(ctx, err), nil
	case total >= 0 && n != total, n == 0:
		return 0, hash, b.interrupted(ctx, fmt.Errorf("it has %d bytes of %d", n, total)), nil
	}
	return revision, hash, nil, nil
}

// A progressWriter writes to a file and reports progress. It keeps the file's error
// apart from an error of the source.
type progressWriter struct {
	f           *os.File
	done, total uint64
	progress    func(done, total uint64)
	err         error
}

// Write implements io.Writer.
func (w *progressWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.err = err
	w.done += uint64(n)
	if w.progress != nil && w.total > 0 {
		w.progress(w.done, w.total)
	}
	return n, err
}
