// Package prompt holds the nouns of stet's domain that core, client and the
// root package share: versions, drafts, commits and their operations, heads,
// label moves, changes and pages. It says what they are and how they look in
// JSON; what they do to each other is in package core.
//
// Callers use them by the names that package stet gives them.
package prompt
