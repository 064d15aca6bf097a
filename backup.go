package stet

// BackupOptions configure Backup.
type BackupOptions struct {
	// Overwrite lets the backup replace a file that is at the path.
	Overwrite bool
	// Progress, if not nil, is called from time to time with how much of the work is done.
	// Calls do not overlap.
	Progress func(done, total uint64)
}
