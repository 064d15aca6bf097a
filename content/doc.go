// Package content holds what one version of a prompt says: a text or a list of
// messages, a config, and whether "{{name}}" in it is a variable.
//
// A [Content] is made by [New], which refuses what could not be read back the
// same by every program, and never changes after that. Two contents are equal
// exactly if their canonical forms (RFC 8785) are the same bytes, and so if
// their digests are the same; docs/digest.md says byte for byte how to compute
// one in another language.
//
// A text is kept byte for byte. Messages and config are JSON values and are
// kept in canonical form: the spelling of a number, the order of keys and the
// white space between tokens are not part of them, everything else is,
// members that stet does not know included.
//
// The package is a leaf: it does no I/O, holds no locks and reads no clock. All
// of its functions may be called from several goroutines at once. Every error
// that it returns is an [*Error].
package content
