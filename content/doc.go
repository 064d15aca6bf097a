// Package content is the content of one version of a prompt: a text or a list of
// messages, a config, and whether "{{name}}" in it is a variable.
//
// [New] makes a [Content], which never changes. It refuses what some programs would
// read back differently. Two contents are equal if and only if their canonical forms
// (RFC 8785) are the same bytes, and so if their digests are equal; docs/digest.md
// describes how to compute a digest in another language.
//
// A text is kept byte for byte. Messages and config are JSON values and are kept in
// canonical form: the spelling of a number, the order of keys and the white space
// between tokens are not part of them. Everything else is, including members that stet
// does not know.
//
// The package does no I/O, holds no locks and reads no clock. All of its functions are
// safe for concurrent use. Every error that it returns is an [*Error].
package content
