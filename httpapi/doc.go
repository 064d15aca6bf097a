// Package httpapi serves a store over HTTP: JSON under /v1, the text alone under /p, and
// health and metrics for operators. [New] returns a handler; package httpapi/keys says who
// may do what.
//
// The contract is openapi.yaml, which the server itself serves at /openapi.yaml; the tests
// check every answer against it. In short:
//
//   - An id is one segment of a path, percent-encoded, with / as %2F.
//   - An error is application/problem+json with stet's code; see [Status].
//   - Every answer of the store says in Stet-As-Of as of which revision it is, and
//     every read takes min_revision, to wait for one.
//   - Reads have an ETag and answer 304 to If-None-Match. Moves of a label take
//     If-Match with the ETag of the version that the label must be at now.
//   - A write takes Idempotency-Key, which is the id of its commit: sent again it
//     happens once.
//   - Unknown parameters, members and media types are refused.
//
// A [Server] keeps no state of its own between requests.
package httpapi
