package stet

// BackupOptions are how a backup is made.
type BackupOptions struct {
	// Overwrite lets the file take the place of one that is there.
	Overwrite bool
	// Progress, if not nil, is called now and then with how much is done of what
	// there is to do, by one goroutine at a time.
	Progress func(done, total uint64)
}
