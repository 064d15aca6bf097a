// Package client is a store that is on a server: the same operations, over HTTP.
//
//	store, err := client.Open(ctx, "https://prompts.example.com", &client.Options{Key: key})
//
// It keeps the promises of a [stet.Store] over an engine, across a network that drops,
// delays, repeats and cuts messages:
//
//   - Every commit gets an id before it is sent, and is sent again with that id until
//     its outcome is known, so it is applied once. If the outcome cannot be found out
//     in time, the error has the code unknown and the id to send it again with.
//   - An error is unavailable only if the call has changed nothing and never will.
//   - Reads are retried too.
//
// Between attempts the client waits for a random time that grows, and for as long as
// the server asks (Retry-After), but never beyond the caller's deadline. All calls of a
// client share a budget of retries, so that retries do not overload a server in trouble.
//
// Invalid ids, labels and selectors are refused without asking the server, with the
// server's words.
//
// Close ends the reads and streams under way, and waits for the commits.
package client
