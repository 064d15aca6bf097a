package temp

import "io/fs"

// private tells whether a directory is as Mkdir makes it.
func private(info fs.FileInfo) bool { return info.IsDir() }
