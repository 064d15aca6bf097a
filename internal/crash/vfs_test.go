package crash

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// This file is a layer between SQLite and its files that can fail: the VFS that
// SQLite comes with, with its own ways to write, sync, cut and remove.

// A fault is what goes wrong in one directory.
type fault struct {
	nth    int  // the call that fails, from 1; 0 for none
	sticky bool // all calls after it fail as well, until it is mended
	full   bool // the disk is full, and only writes fail; otherwise it is broken
	torn   bool // half of a write gets there

	// frozen is held by whoever needs the files to stay as they are, as they do
	// when a process is killed.
	frozen sync.RWMutex

	mu     sync.Mutex
	calls  int
	where  string // what failed first; "" as long as nothing has
	sync   bool   // it was a sync
	later  []string
	mended bool
}

// faults are what goes wrong, by directory.
var faults sync.Map

// opened are the open files of directories with a fault, by the address of
// SQLite's object.
var opened sync.Map

type openFile struct {
	fault   *fault
	base    string
	methods *methods
}

// fails counts a call and reports whether it is to fail.
func (f *fault) fails(what, base string, write bool) bool {
	if strings.HasSuffix(base, "-shm") {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.where != "" && (base == "stet.db" || base == "stet.db-wal") {
		f.later = append(f.later, what+" "+base)
	}
	if f.full && !write || f.mended {
		return false
	}
	f.calls++
	if f.calls == f.nth || f.sticky && f.nth > 0 && f.calls > f.nth {
		if f.where == "" {
			f.where, f.sync = what+" "+base, what == "sync"
		}
		return true
	}
	return false
}

func (f *fault) fired() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.where
}

func (f *fault) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mended = true
}

// after returns what was tried on the store after the first failure.
func (f *fault) after() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.later)
}

var base sqlite3.Tsqlite3_vfs // SQLite's own

// install makes the failing layer the one that SQLite opens files with.
var install = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	found := sqlite3.Xsqlite3_vfs_find(tls, 0)
	base = *at[sqlite3.Tsqlite3_vfs](found)
	own, failing := allocate(tls, base)
	name, err := libc.CString("failing")
	if err != nil {
		panic(err)
	}
	failing.FzName = name
	failing.FpNext = 0
	failing.FxOpen = pointer(vfsOpen)
	failing.FxDelete = pointer(vfsDelete)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, own, 1); rc != 0 {
		panic(rc)
	}
})

// allocate returns a copy of v in SQLite's memory, which stays where it is for good.
func allocate[T any](tls *libc.TLS, v T) (uintptr, *T) {
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(v)))
	if address == 0 {
		panic("no memory")
	}
	p := at[T](address)
	*p = v
	return address, p
}

// at is what an address of SQLite's points to.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// pointer is a function as SQLite, which was C, keeps it.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

// function is the reverse.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

func vfsOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](base.FxOpen)(tls, vfs, name, file, flags, out)
	if rc != sqlite3.SQLITE_OK || name == 0 {
		return rc
	}
	path := libc.GoString(name)
	f, ok := faults.Load(filepath.Dir(path))
	if !ok {
		return rc
	}
	o := at[sqlite3.Tsqlite3_file](file)
	m := methodsOf(tls, o.FpMethods)
	o.FpMethods = m.failing
	opened.Store(file, &openFile{f.(*fault), filepath.Base(path), m})
	return rc
}

// methods are those of one kind of file: SQLite has some that lock and some that
// do not.
type methods struct {
	base    sqlite3.Tsqlite3_io_methods
	failing uintptr // the address of those that fail
}

// kinds are the methods by the address of SQLite's own.
var kinds = struct {
	sync.Mutex
	m map[uintptr]*methods
}{m: make(map[uintptr]*methods)}

func methodsOf(tls *libc.TLS, address uintptr) *methods {
	kinds.Lock()
	defer kinds.Unlock()
	m := kinds.m[address]
	if m == nil {
		m = &methods{base: *at[sqlite3.Tsqlite3_io_methods](address)}
		own, failing := allocate(tls, m.base)
		failing.FxClose = pointer(fileClose)
		failing.FxWrite = pointer(fileWrite)
		failing.FxTruncate = pointer(fileTruncate)
		failing.FxSync = pointer(fileSync)
		m.failing = own
		kinds.m[address] = m
	}
	return m
}

// openFileOf returns an open file of the failing layer.
func openFileOf(file uintptr) *openFile {
	o, _ := opened.Load(file)
	return o.(*openFile)
}

func fileClose(tls *libc.TLS, file uintptr) int32 {
	o := openFileOf(file)
	opened.Delete(file)
	return function[func(*libc.TLS, uintptr) int32](o.methods.base.FxClose)(tls, file)
}

func fileWrite(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
	o := openFileOf(file)
	o.fault.frozen.RLock()
	defer o.fault.frozen.RUnlock()
	write := function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](o.methods.base.FxWrite)
	if !o.fault.fails("write", o.base, true) {
		return write(tls, file, data, n, off)
	}
	if o.fault.torn && n > 1 {
		write(tls, file, data, n/2, off)
	}
	if o.fault.full {
		return sqlite3.SQLITE_FULL
	}
	return sqlite3.SQLITE_IOERR_WRITE
}

func fileTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	o := openFileOf(file)
	o.fault.frozen.RLock()
	defer o.fault.frozen.RUnlock()
	if o.fault.fails("truncate", o.base, false) {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	return function[func(*libc.TLS, uintptr, int64) int32](o.methods.base.FxTruncate)(tls, file, size)
}

func fileSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	o := openFileOf(file)
	o.fault.frozen.RLock()
	defer o.fault.frozen.RUnlock()
	if o.fault.fails("sync", o.base, false) {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return function[func(*libc.TLS, uintptr, int32) int32](o.methods.base.FxSync)(tls, file, flags)
}

func vfsDelete(tls *libc.TLS, vfs, name uintptr, sync int32) int32 {
	path := libc.GoString(name)
	if f, ok := faults.Load(filepath.Dir(path)); ok {
		f := f.(*fault)
		f.frozen.RLock()
		defer f.frozen.RUnlock()
		if f.fails("delete", filepath.Base(path), false) {
			return sqlite3.SQLITE_IOERR_DELETE
		}
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32) int32](base.FxDelete)(tls, vfs, name, sync)
}
