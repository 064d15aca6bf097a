//go:build !linux

package ownfile

// IsMount reports whether a path is a mount point. Of the systems that stet is built for,
// only Linux can mount a single file.
func IsMount(string) (bool, error) { return false, nil }
