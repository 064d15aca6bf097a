// Package keys controls who may do what on a server. A key file has the keys, each with its
// role, prompts and labels, and the labels that are protected.
//
// A program that serves a store opens the file and gives the [Ring] to httpapi.New. Keys are
// created with the command stet key, or with [Update] and [File.Create], and the first one
// with [EnsureAdmin].
//
// The secret of a key is shown once, when the key is created. The file has only its SHA-256.
// A fast hash is safe here: the secret is 256 random bits, which nobody can guess. A slow
// hash, which protects passwords that people choose, would only slow the server down.
//
// The file is replaced atomically, under a lock: a reader sees the old content or the new,
// even after a crash. A [Ring] reads the file again when it has changed, so that a revoked
// key stops working on every server within seconds.
package keys
