// Package load puts stores under load: it fills them with made-up prompts, by the
// million, and runs mixed loads against them for as long as one likes, checking
// what they answer.
package load
