// Package keys is who may do what on a server: a ring of keys in one file, with
// the roles, prompts and labels of each, and the labels that are protected.
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
