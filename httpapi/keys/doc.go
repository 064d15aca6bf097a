// Package keys says who may do what on a server: a file has the keys, with the role,
// prompts and labels of each, and the labels that are protected.
//
// A program that serves a store opens the file and gives the [Ring] to httpapi.New.
// Keys are made with the command stet key, or with [Update] and [File.Create]; the
// first one with [EnsureAdmin].
//
// A key's secret is shown once, when it is made. The file has its SHA-256: the
// secret is 256 random bits, so that nobody can guess it from its hash however
// fast hashing is, and a slow hash, which protects what people choose themselves,
// would only slow the server down.
//
// The file is written whole, beside itself, and renamed, under a lock: readers see
// one ring or the next, also after a crash. A [Ring] reads it again when it has
// changed, so that a key that was revoked ends everywhere within seconds.
package keys
