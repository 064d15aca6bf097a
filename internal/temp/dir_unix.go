//go:build unix

package temp

import (
	"io/fs"

	"github.com/stet-dev/stet/internal/ownfile"
)

// private tells whether a directory is as Mkdir makes it.
func private(info fs.FileInfo) bool {
	return info.IsDir() && info.Mode().Perm() == 0o700 && ownfile.Mine(info)
}
