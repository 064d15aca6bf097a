package sqlite

// Sweep does at once what a log does in the background.
func (l *Log) Sweep() { sweep(l) }

// Path is where the log is.
func (l *Log) Path() string { return l.path }
