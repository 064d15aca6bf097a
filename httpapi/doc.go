// Package httpapi serves a store over HTTP: JSON under /v1, the text alone under
// /p, and what operators ask for.
//
// The contract is openapi.yaml, which the server answers with at /openapi.yaml;
// the tests hold every answer against it, and it against the tests. In short:
//
//   - An id is one segment of a path, percent-encoded, with / as %2F.
//   - An error is application/problem+json with stet's code; see [Status].
//   - Every answer of the store has Stet-As-Of, the revision that it is of, and
//     every read takes min_revision, to wait for one.
//   - Reads have an ETag and answer 304 to If-None-Match. Moves of a label take
//     If-Match with the ETag of the version that the label must be at now.
//   - A write takes Idempotency-Key, which is the id of its commit: sent again it
//     happens once.
//   - What is not known is refused: parameters, members, media types.
//
// A [Server] holds nothing between requests but what the store holds.
package httpapi
