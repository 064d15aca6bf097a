// Package sqlite is the engine that keeps a store in one SQLite file: for one
// program on one machine, with nothing to install or run beside it.
//
// # What it promises
//
// Success means that the commit is on stable storage: every batch of commits is
// one transaction and one sync of SQLite's write-ahead log (synchronous=FULL, and
// F_FULLFSYNC on macOS). It survives the end of the process at any moment, and
// the loss of power as far as the disk does what it says.
//
// If a sync or a write fails, nobody can know any more what is on the disk. Then
// the commit's outcome is unknown and the engine writes no more until the store
// is opened again; reads go on. A full disk is no such failure: the commit is
// refused, and later ones work once there is room.
//
// # One program at a time
//
// A store is open in one process at a time, which holds an operating system's
// lock on FILE.lock; who comes second is told who that is. Other programs may
// read the file meanwhile, with the sqlite3 command line for example: it has the
// tables commits, bodies and labels and, made to be read by people, the views
// versions and log. They must not write. The engine notices when the log is not
// as it left it, and stops writing.
//
// # Caveats
//
//   - FILE-wal and FILE-shm belong to the file. Copying FILE alone while the store
//     is open, or after a crash, loses commits.
//   - SQLite's locks do not work on most network file systems: keep the file on a
//     local disk.
//   - A program must not open and close FILE by other means while it has the store
//     open: on most systems that drops SQLite's locks.
//   - A clear and a large delete free their space for what is saved later; the
//     file does not shrink.
package sqlite
