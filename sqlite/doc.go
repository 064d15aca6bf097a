// Package sqlite is the engine that keeps a store in one SQLite file. It is for one program
// on one machine, and needs nothing else to be installed or run.
//
// # What it promises
//
// Success means that the commit is on stable storage: every batch of commits is one
// transaction and one sync of SQLite's write-ahead log (synchronous=FULL, and F_FULLFSYNC
// on macOS). A commit survives a crash of the process at any moment, and a loss of power
// if the disk keeps what it has synced.
//
// If a sync or a write fails, it is unknown what is on the disk. The outcome of the commit
// is then unknown too, and the engine refuses all writes until the store is opened again.
// Reads still work. A full disk is different: the commit is refused, and later ones work
// once there is space.
//
// # One program at a time
//
// One process at a time has a store open. It holds an operating system lock on FILE.lock,
// and a second process gets an error that says who holds it. Other programs may read the
// file meanwhile, with the sqlite3 command line for example: it has the tables commits,
// bodies and labels, and the views versions and log, which are made for people. Other
// programs must not write. If one does, the engine notices and stops writing.
//
// # Caveats
//
//   - FILE-wal and FILE-shm belong to the file. Copying FILE alone while the store
//     is open, or after a crash, loses commits.
//   - SQLite's locks do not work on most network file systems: keep the file on a
//     local disk.
//   - A program must not open and close FILE by other means while it has the store
//     open: on most systems that drops SQLite's locks.
//   - A clear or a large delete frees space in the file for later saves. The file does not
//     shrink.
package sqlite
