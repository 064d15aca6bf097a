// Package client is a store that is on a server: the same operations, over HTTP.
//
//	store, err := client.Open(ctx, "https://prompts.example.com", &client.Options{Key: key})
//
// What holds for a [stet.Store] over an engine holds here too, across a network
// that drops, delays, repeats and cuts what is sent:
//
//   - Every commit has an id before it is sent, and is sent again with that id
//     until its outcome is known, so that it is applied once. What cannot be found
//     out in time is an error with the code unknown and the id to ask again with.
//   - An error says unavailable only if nothing was, and nothing will be, changed
//     by the call.
//   - Reads are sent again too.
//
// Between attempts the client waits, longer each time and at random, as long as
// the server asks for (Retry-After), and never past the caller's deadline. All
// calls of a client share a budget of repetitions, so that a server that is down
// is not asked many times as much as one that is well.
//
// Names that cannot be, of prompts, labels and selectors, are refused without
// asking the server, with the words that it would use.
//
// Closing the store ends the reads and streams that are under way, and waits
// for the commits.
package client
