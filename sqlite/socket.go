package sqlite

import "github.com/stet-dev/stet/internal/dbfile"

// Socket returns the path of the private socket that belongs to a file: a server
// that has the file open listens there for other programs of the same user. It is
// beside the file, or beside what the path links to, as the lock is.
func Socket(path string) (string, error) {
	full, _, err := dbfile.Locate(path)
	if err != nil {
		return "", err
	}
	return full + ".sock", nil
}
